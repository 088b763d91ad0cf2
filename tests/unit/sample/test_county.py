"""The sample county looks as domain.md section 10 says, and is nobody's real life."""

import re
import subprocess
import sys
import tracemalloc
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import orjson
import pytest
from pydantic import ValidationError

from deploy.local.system import ROOT
from deploy.sample import county, words
from deploy.sample.county import Message
from deploy.sample.families import hetu_of
from deploy.sample.scenes import LETTERS, STAGES, book
from deploy.sample.truth import TrueChild, Truth
from deploy.sample.volumes import Volumes, volumes
from deploy.sample.year import CODES_PER_DAY, Person
from shared import events, kinds
from shared.clock import HELSINKI
from shared.events import Concern, Matter, NotifiedChild, age_band_on, years_on
from shared.hetu import contains_hetu, parse_hetu
from shared.kinds import FEED_TOPICS, Anticipatory, Application, Withdrawal
from tests.sample_year import LAST_DAY, Year

SOME_REAL_MUNICIPALITIES = (
    "Akaa Espoo Forssa Hamina Hanko Heinola Helsinki Hollola Hämeenlinna Ii Iisalmi Imatra "
    "Inari Joensuu Jyväskylä Kaarina Kajaani Kangasala Kemi Kerava Kirkkonummi Kittilä Kokkola "
    "Kotka Kouvola Kuopio Kuusamo Kuusankoski Lahti Laihia Lapua Lohja Loimaa Loviisa Mikkeli "
    "Muonio Mäntsälä Naantali Nivala Nokia Nurmijärvi Oulu Parainen Pello Pieksämäki Pietarsaari "
    "Pirkkala Pori Porvoo Raahe Raisio Rauma Rovaniemi Salo Savonlinna Seinäjoki Siilinjärvi "
    "Sipoo Sodankylä Sotkamo Tampere Tervo Tornio Turku Tuusula Uusikaupunki Vaala Vaasa "
    "Valkeakoski Vantaa Varkaus Vihti Vimpeli Ylivieska Ähtäri Borgå Ekenäs Esbo Jakobstad "
    "Karleby Korsholm Raseborg Sibbo Vanda Åbo"
).split()

Notified = list[tuple[Message, Matter]]
STREAM = {"notification", "police_report", "transfer"}  # what the statistics count


@pytest.fixture(scope="module")
def letters(year: Year) -> Year:
    """All but the schools' signals and the feeds."""
    return [each for each in year if each[0].topic == events.INTAKE_NOTIFICATION]


@pytest.fixture(scope="module")
def notified(year: Year) -> Notified:
    """What the statistics count: no repeats, no corrections, nothing taken back, no contacts."""
    return [
        (message, event)
        for message, event, truth in year
        if message.kind in STREAM and not truth.repeat and truth.about is None
        and isinstance(event, Matter)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def matters(year: Year) -> Notified:
    """Everything about children who can be named."""
    return [(message, event) for message, event, _ in year if isinstance(event, Matter)]


def share(number: int, of: int) -> float:
    return 100 * number / of


def of(matter: Matter, truth: Truth) -> list[tuple[NotifiedChild, TrueChild]]:
    return list(zip(matter.children, truth.children, strict=True))


# --- how much of what ---------------------------------------------------------------------------


def test_a_year_has_as_many_notifications_as_the_statistics_say(notified: Notified) -> None:
    children = sum(len(event.children) for _, event in notified)
    assert children == pytest.approx(49_000 * 230_000 / 1_075_000, rel=0.01)


def test_every_kind_of_message_comes_in_its_share(year: Year, letters: Year) -> None:
    first = Counter(m.kind for m, _, truth in year if not truth.repeat and truth.about is None)
    yearly = volumes().yearly_per_1000
    contacts = {kind: 49 * yearly.contacts * s for kind, s in volumes().contact_kinds.items()}
    for kind, number in contacts.items():
        assert first[kind] == pytest.approx(number, rel=0.15), kind
    assert first["anticipatory"] == pytest.approx(49 * yearly.unborn, rel=0.05)
    assert first["consultation_request"] == pytest.approx(49 * yearly.consultations, rel=0.05)
    assert share(first["transfer"], len(letters)) == pytest.approx(1, abs=0.35)
    kinds_of_concern = {kind.name for kind in kinds.KINDS if issubclass(kind.model, Concern)}
    assert set(first) == kinds_of_concern | {"absence", "client", "directory"}


def test_some_messages_are_corrected_taken_back_or_sent_again(letters: Year) -> None:
    corrected = sum(isinstance(event, Concern) and event.corrects is not None
                    for _, event, _ in letters)  # fmt: skip
    withdrawn = sum(message.kind == "withdrawal" for message, _, _ in letters)
    repeated = sum(truth.repeat for _, _, truth in letters)
    assert share(corrected, len(letters)) == pytest.approx(100 * volumes().corrected, abs=0.3)
    assert share(withdrawn, len(letters)) == pytest.approx(100 * volumes().withdrawn, abs=0.15)
    assert share(repeated, len(letters)) == pytest.approx(100 * volumes().repeated, abs=0.25)


def test_notifiers_come_in_their_shares(notified: Notified) -> None:
    notifiers: Counter[str] = Counter(event.notifier.kind for _, event in notified)
    expected = {
        "education": 20,
        "police": 25,
        "health_care": 15,
        "social_care": 15,
        "private": 10,
        "early_education": 5,
    }
    for kind, percent in expected.items():
        assert share(notifiers.pop(kind), len(notified)) == pytest.approx(percent, abs=1.5), kind
    assert share(sum(notifiers.values()), len(notified)) == pytest.approx(10, abs=1.5)
    assert len(notifiers) >= 8


def test_children_are_of_all_ages_in_their_shares(notified: Notified) -> None:
    bands: Counter[str] = Counter(
        age_band_on(parse_hetu(child.hetu).born, message.at.astimezone(HELSINKI).date())
        for message, event in notified
        for child in event.children
        if child.hetu
    )
    total = sum(bands.values())
    for band, percent in {"0-6": 25, "7-12": 31, "13-15": 28, "16-17": 16}.items():
        assert share(bands.pop(band), total) == pytest.approx(percent, abs=2), band
    assert not bands


def test_most_children_are_notified_of_once_and_some_again_and_again(year: Year) -> None:
    times = Counter(
        child.child
        for message, _, truth in year
        if message.kind in STREAM and not truth.repeat and truth.about is None
        for child in truth.children
    )
    counts = Counter(min(number, 3) for number in times.values())
    assert share(counts[1], len(times)) == pytest.approx(60, abs=3)
    assert share(counts[2], len(times)) == pytest.approx(20, abs=3)
    assert share(counts[3], len(times)) == pytest.approx(20, abs=3)
    assert sum(times.values()) / len(times) == pytest.approx(2.0, abs=0.1)


def test_subjects_urgency_and_clients_come_in_their_shares(notified: Notified) -> None:
    def percent(number: int) -> float:
        return share(number, len(notified))

    reads = [event for _, event in notified]
    urgent = sum("yes" in event.urgency.model_dump().values() for event in reads)
    custody = sum("LOCAL-REASON-CUSTODY-DISPUTE" in event.reasons for event in reads)
    mind = {"LOCAL-REASON-SELF-HARM", "LOCAL-REASON-CHILD-MENTAL-HEALTH"}
    psychiatric = sum(bool(mind.intersection(event.reasons)) for event in reads)
    children = [child for event in reads for child in event.children]
    assert percent(urgent) == pytest.approx(5, abs=1)
    assert percent(custody) == pytest.approx(10, abs=1.5)
    assert percent(psychiatric) == pytest.approx(8, abs=1.5)
    clients = sum(child.is_client == "yes" for child in children)
    assert share(clients, len(children)) == pytest.approx(30, abs=2.5)
    nameless = sum(child.hetu is None for child in children)
    assert share(nameless, len(children)) == pytest.approx(2, abs=0.8)
    siblings = sum(len(event.children) > 1 for event in reads)
    assert 5 <= percent(siblings) <= 20


def test_figures_that_do_not_add_up_are_refused() -> None:
    figures = volumes().model_dump()
    with pytest.raises(ValidationError, match="together: the shares do not add up"):
        Volumes.model_validate(figures | {"together": (0.5, 0.4)})


# --- the truth beside ---------------------------------------------------------------------------


def test_the_truth_names_every_message_and_nothing_of_it_stands_in_one(year: Year) -> None:
    for message, _, truth in year:
        assert (truth.source, truth.source_id) == (message.source, message.source_id)
        sent = message.value + message.key + b"".join(value for _, value in message.headers)
        for secret in (truth.household, truth.siblings, *(c.child for c in truth.children)):
            assert not secret or secret.encode() not in sent
    names = set(Truth._fields) - {"at", "kind", "source", "source_id", "children"}
    told = [orjson.loads(m.value) for m, _, _ in year if m.topic not in FEED_TOPICS]
    assert not names & {name for body in told[::50] for name in body}


def test_the_truth_knows_the_code_that_a_message_leaves_out(year: Year) -> None:
    codes: dict[str, set[str]] = defaultdict(set)
    for _, event, truth in year:
        for child in truth.children:
            codes[child.child].add(child.hetu)
        if isinstance(event, Matter):
            for said, true in of(event, truth):
                assert said.hetu in (None, true.hetu)
                assert said.name == true.name
                assert said.birth_date in (None, parse_hetu(true.hetu).born)
        if isinstance(event, Anticipatory):
            assert truth.children[0].unborn
            assert event.parent.hetu in (None, truth.children[0].hetu)
    assert all(len(each) == 1 for each in codes.values())
    assert len({code for each in codes.values() for code in each}) == len(codes)


def test_siblings_share_a_household(year: Year) -> None:
    households = defaultdict(set)
    for _, event, truth in year:
        households[truth.siblings].add(truth.household)
        if isinstance(event, Matter) and len(event.children) > 1:
            homes = {
                (child.address, child.guardians) for child in event.children if child.guardians
            }
            assert len(homes) <= 1
            assert len({str(child.name).rpartition(" ")[2] for child in event.children}) == 1
    assert all(len(each) == 1 for each in households.values())


def test_who_says_urgent_is_often_wrong_and_who_does_not_seldom(
    letters: Year,
) -> None:
    first = [truth for _, _, truth in letters if truth.about is None]
    marked = [truth.urgent for truth in first if truth.marked]
    calm = [truth.urgent for truth in first if not truth.marked]
    assert share(sum(marked), len(marked)) == pytest.approx(35, abs=7)
    assert share(sum(calm), len(calm)) == pytest.approx(1.5, abs=0.5)


def test_a_correction_is_of_the_same_source_and_kind_and_has_the_key_of_the_first(
    year: Year,
) -> None:
    place = {(m.source, m.source_id): n for n, (m, _, _) in reversed(list(enumerate(year)))}
    later = [(n, m, event, truth) for n, (m, event, truth) in enumerate(year) if truth.about]
    assert len(later) > 80
    for number, message, event, truth in later:
        before = place[message.source, str(truth.about)]
        first, _, of_first = year[before]
        assert before < number
        assert message.key == first.key
        assert truth.children == of_first.children
        if isinstance(event, Withdrawal):
            assert event.withdraws == truth.about
        else:
            assert isinstance(event, Concern)
            assert event.corrects == truth.about
            assert message.kind == first.kind
            assert message.value != first.value


def test_what_corrects_something_from_before_the_month_is_left_out() -> None:
    for day in range(0, 300, 30):
        sent: set[str] = set()
        for message, truth in county.told(
            last_day=LAST_DAY - timedelta(days=day), days=7, children=10_000
        ):
            assert truth.about is None or truth.about in sent
            sent.add(message.source_id)


# --- families -----------------------------------------------------------------------------------


def test_in_a_dispute_the_guardians_notify_of_each_other(year: Year) -> None:
    writers = defaultdict(set)
    for _, event, truth in year:
        if truth.dispute and isinstance(event, Matter) and event.notifier.kind == "guardian":
            assert "LOCAL-REASON-CUSTODY-DISPUTE" in event.reasons
            writers[truth.household].add(event.notifier.name)
            (one, other) = event.children[0].guardians
            assert event.notifier.name in (one.name, other.name)
            assert one.address != other.address
    assert len(writers) >= 10
    assert all(len(names) == 2 for names in writers.values())


def test_under_turvakielto_nobody_but_a_private_person_tells_where_the_family_lives(
    year: Year,
) -> None:
    hidden = [event for _, event, truth in year if truth.turvakielto and isinstance(event, Matter)]
    assert len(hidden) > 50
    for event in hidden:
        for child in event.children:
            told = [child.address, *(g.address or g.phone for g in child.guardians)]
            assert event.notifier.kind == "private" or not any(told)


def test_families_move_within_the_county_and_out_of_it(letters: Year) -> None:
    addresses: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for message, event, truth in letters:
        day = message.at.astimezone(HELSINKI).date()
        assert truth.moved_out is None or truth.moved_out > day
        if isinstance(event, Matter) and not truth.repeat and truth.about is None:
            before = truth.moved is None or day < truth.moved
            addresses[truth.household, before] |= {c.address for c in event.children if c.address}
    assert all(len(each) <= 1 for each in addresses.values())
    moved = {home for home, before in addresses if not before and addresses.get((home, True))}
    assert len(moved) > 20
    assert all(addresses[home, True] != addresses[home, False] for home in moved)
    gone = {truth.household for _, _, truth in letters if truth.moved_out}
    assert share(len(gone), len({home for home, _ in addresses})) == pytest.approx(1.3, abs=0.6)


def test_children_apply_for_themselves_and_some_are_below_12(year: Year) -> None:
    ages = [
        years_on(parse_hetu(truth.children[0].hetu).born, message.at.astimezone(HELSINKI).date())
        for message, event, truth in year
        if isinstance(event, Application) and event.notifier.kind == "child"
    ]
    assert min(ages) < 12
    assert share(sum(age >= 12 for age in ages), len(ages)) > 85


# --- when ---------------------------------------------------------------------------------------


def test_offices_keep_hours_and_the_police_write_on_monday_morning(
    year: Year, letters: Year
) -> None:
    sent = [(m.source, m.at.astimezone(HELSINKI)) for m, _, truth in year if not truth.repeat]
    weekend = sum(m.at.astimezone(HELSINKI).weekday() >= 5 for m, _, _ in letters)
    assert share(weekend, len(letters)) < 12
    school = [at for source, at in sent if source.startswith("school")]
    assert all(at.weekday() < 5 and 8 <= at.hour <= 16 for at in school)
    police = [at for source, at in sent if source.startswith("police")]
    mornings = Counter(at.weekday() for at in police if 6 <= at.hour < 10)
    assert mornings[0] > 2 * max(mornings[day] for day in range(1, 7))


def test_a_repeat_is_the_same_message_sent_later(year: Year) -> None:
    sent: dict[tuple[str, str], Message] = {}
    for message, _, truth in year:
        first = sent.setdefault((message.source, message.source_id), message)
        assert not truth.repeat or first is not message
        assert truth.repeat or truth.resent or first is message
        assert message.at >= first.at
        assert first.key == message.key
        assert truth.resent or (first.headers, first.value) == (message.headers, message.value)


def test_messages_come_in_time_order_and_state_when_they_arrived(year: Year) -> None:
    assert all(one.at <= other.at for (one, _, _), (other, _, _) in pairwise(year))
    for message, event, truth in year:
        headers = dict(message.headers)
        kind = kinds.BY_NAME[message.kind]
        assert message.at.tzinfo == UTC
        assert event.arrived_at == datetime.fromisoformat(headers["ce_time"].decode())
        assert truth.repeat or truth.late or message.at == event.arrived_at
        assert headers["ce_specversion"] == b"1.0"
        assert (headers["ce_type"], message.topic) == (kind.type.encode(), kind.topic)
        assert headers["content-type"] == b"application/json"
        assert headers["ce_id"] == message.source_id.encode()
        assert headers["ce_source"] == message.source.encode()
        assert message.key == (truth.about or truth.entry or message.source_id).encode()


def test_there_are_fourteen_sources_and_two_feeds(year: Year) -> None:
    feeds = {message.source for message, _, _ in year if message.topic in FEED_TOPICS}
    assert feeds == {"clients-1", "directory-1"}
    assert len({message.source for message, _, _ in year}) == 14 + len(feeds)


def test_a_month_is_the_end_of_its_year_and_begins_with_the_feeds_as_they_stand(
    year: Year,
) -> None:
    days = list(county.month(last_day=LAST_DAY))
    start = days[0].at
    known = [m for m in days if m.at == start and m.topic in FEED_TOPICS]
    changes = days[len(known) :]
    first, last = start.astimezone(HELSINKI), days[-1].at.astimezone(HELSINKI)
    sent = {message.source_id for message in changes}
    end = [m for m, _, truth in year if m.at >= start and (truth.about or m.source_id) in sent]
    assert changes == end
    assert days[: len(known)] == known
    assert first == datetime(2026, 10, 24, tzinfo=HELSINKI)
    assert last.date() <= LAST_DAY
    assert 700 < sum(m.topic == events.INTAKE_NOTIFICATION for m in days) < 1_300


# --- from a seed --------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_the_same_truth_in_another_process() -> None:
    program = (
        "import hashlib; from datetime import date; from deploy.sample import county\n"
        "found = hashlib.sha256()\n"
        "for m, truth in county.told(last_day=date(2026, 11, 22), children=4_000, seed=7):\n"
        "    found.update(repr((m.at, m.key, m.headers, m.value, truth.line())).encode())\n"
        "print(found.hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(hashes) == 1


def test_another_seed_gives_another_county() -> None:
    one, other = (county.messages(500, seed=seed, last_day=LAST_DAY) for seed in (7, 8))
    assert not {message.source_id for message in one} & {message.source_id for message in other}


def test_a_benchmark_gets_exactly_the_notifications_that_it_asks_for() -> None:
    for count in (0, 1, 999):
        asked = county.messages(count, last_day=LAST_DAY)
        assert len(asked) == count
        assert asked == sorted(asked, key=lambda message: message.at)
        assert {message.kind for message in asked} <= {"notification"}


def test_a_larger_county_has_the_smaller_one_in_it() -> None:
    small = {m.source_id: m.value for m in county.month(last_day=LAST_DAY, children=5_000)}
    large = {m.source_id: m.value for m in county.month(last_day=LAST_DAY, children=20_000)}
    assert small.items() <= large.items()


def test_a_year_is_written_one_message_at_a_time() -> None:
    def held(children: int) -> int:
        """Bytes at the most, over what stands when the first message is asked for."""
        messages = county.stream(3, children, last_day=LAST_DAY)
        tracemalloc.start()
        for _ in messages:
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    held(500)  # what is read once
    assert held(20_000) < held(2_000) + 300_000, "18 KB for a thousand children more"


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_month_longer_than_the_year_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="days must be"):
        next(county.month(last_day=LAST_DAY, days=days))


def test_every_code_is_a_test_number_and_belongs_to_one_child() -> None:
    people = defaultdict(set)
    for message in county.messages(20_000, last_day=LAST_DAY):
        for child in orjson.loads(message.value)["children"]:
            if "hetu" in child:
                code = parse_hetu(child["hetu"])
                assert code.is_temporary
                people[code.value].add(child["name"])
    assert len(people) > 9_000
    assert all(len(names) == 1 for names in people.values())
    assert {code[6] for code in people} == set("ABCDEF")


def test_children_born_on_one_day_have_codes_of_their_own() -> None:
    for born in (date(2015, 2, 3), date(2020, 6, 29)):
        codes = {hetu_of(Person(1, born, code)) for code in range(CODES_PER_DAY)}
        assert len(codes) == CODES_PER_DAY


def test_every_expecting_parents_code_is_a_test_number(year: Year) -> None:
    parents = [event.parent for _, event, _ in year if isinstance(event, Anticipatory)]
    codes = [parse_hetu(parent.hetu) for parent in parents if parent.hetu]
    assert len(codes) > 80
    assert all(code.is_temporary for code in codes)
    assert all(17 < LAST_DAY.year - code.born.year < 45 for code in codes)


def test_no_real_place_is_named(matters: Notified) -> None:
    names = "|".join(SOME_REAL_MUNICIPALITIES)
    real = re.compile(rf"\b({names})\b")
    texts = (
        message.value.decode().replace(str(event.notifier.name), "")
        for message, event in matters[::3]
    )
    found = {match for text in texts for match in real.findall(text)}
    assert not found
    assert not {name for name, _, _ in words.MUNICIPALITIES} & set(SOME_REAL_MUNICIPALITIES)


def test_mail_and_telephone_reach_nobody(matters: Notified) -> None:
    for _, event in matters:
        assert event.notifier.email is None or event.notifier.email.endswith(".example")
        phones = [guardian.phone for child in event.children for guardian in child.guardians]
        assert all(
            phone is None or phone.startswith("000 ") for phone in (*phones, event.notifier.phone)
        )


def test_texts_differ_are_finished_and_hold_no_code(matters: Notified) -> None:
    texts = {event.observations for _, event in matters}
    assert len(texts) > 2_000
    assert all(60 < len(text) < 1_000 and text[-1] in ".:?" for text in texts)
    assert not any("{" in text or "  " in text or contains_hetu(text) for text in texts)
    assert all(
        re.match(r"[A-ZÅÄÖ]", part) for text in texts for part in re.split(r"\. (?!\d)", text)
    )
    assert {"ä", "ö"} <= set("".join(texts))
    languages = Counter(event.notifier.language for _, event in matters)
    assert 2 <= share(languages["sv"], len(matters)) <= 8
    assert 0 < share(languages["en"], len(matters)) < 2


def test_urgency_and_reasons_are_the_ones_of_the_text() -> None:
    for scene in book().scenes:
        assert scene.marks <= set(events.Urgency.model_fields), scene.name
        assert bool(scene.marks) == (scene.group == "urgent"), scene.name
        assert scene.group in {"urgent", "custody", "psychiatric", "other"}, scene.name


@pytest.mark.parametrize("group", ["urgent", "custody", "psychiatric", "other"])
def test_every_notifier_has_something_to_write_about_every_child(group: str) -> None:
    stages = "123" if group == "psychiatric" else STAGES
    missing = [
        (letter, stage, term)
        for letter in LETTERS
        for stage in stages
        for term in (True, False)
        if (group, letter, stage, "fi", term) not in book().choices
        and not (letter == "D" and stage not in "b0")
        and not (letter == "S" and stage in "b0")
    ]
    assert not missing


def test_only_private_persons_stay_anonymous(notified: Notified) -> None:
    nameless = [event for _, event in notified if event.notifier.name is None]
    private = [event for _, event in notified if event.notifier.kind == "private"]
    assert {event.notifier.kind for event in nameless} == {"private"}
    assert share(len(nameless), len(private)) == pytest.approx(30, abs=5)
