"""The sample county looks as domain.md section 10 says, and is nobody's real life."""

import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import orjson
import pytest

from deploy.sample import county, words
from deploy.sample.county import Message
from deploy.sample.scenes import LETTERS, STAGES, book
from deploy.sample.writing import hetu_of
from deploy.sample.year import CODES_PER_DAY, Child
from shared import events, kinds
from shared.clock import HELSINKI
from shared.events import Notification, age_band_on
from shared.hetu import contains_hetu, parse_hetu

LAST_DAY = date(2026, 11, 22)
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

Year = list[tuple[Message, Notification]]


@pytest.fixture(scope="module")
def year() -> Year:
    """Every message of a year, read as intake will read it."""
    sent = county.month(last_day=LAST_DAY, days=365)
    return [(message, Notification.model_validate_json(message.value)) for message in sent]


def first_sent(year: Year) -> Year:
    """The messages without those sent again."""
    return list({message.source_id: (message, read) for message, read in reversed(year)}.values())


def share(number: int, of: int) -> float:
    return 100 * number / of


def test_a_year_has_as_many_notifications_as_the_statistics_say(year: Year) -> None:
    notified = sum(len(read.children) for _, read in first_sent(year))
    assert notified == pytest.approx(49_000 * 230_000 / 1_075_000, rel=0.02)


def test_notifiers_come_in_their_shares(year: Year) -> None:
    kinds: Counter[str] = Counter(read.notifier.kind for _, read in year)
    expected = {
        "education": 20,
        "police": 25,
        "health_care": 15,
        "social_care": 15,
        "private": 10,
        "early_education": 5,
    }
    for kind, percent in expected.items():
        assert share(kinds.pop(kind), len(year)) == pytest.approx(percent, abs=1.5), kind
    assert share(sum(kinds.values()), len(year)) == pytest.approx(10, abs=1.5)
    assert len(kinds) >= 8


def test_children_are_of_all_ages_in_their_shares(year: Year) -> None:
    bands: Counter[str] = Counter(
        age_band_on(parse_hetu(child.hetu).born, message.at.astimezone(HELSINKI).date())
        for message, read in year
        for child in read.children
        if child.hetu
    )
    total = sum(bands.values())
    for band, percent in {"0-6": 25, "7-12": 31, "13-15": 28, "16-17": 16}.items():
        assert share(bands.pop(band), total) == pytest.approx(percent, abs=2), band
    assert not bands


def test_most_children_are_notified_of_once_and_some_again_and_again(year: Year) -> None:
    times = Counter(
        child.hetu for _, read in first_sent(year) for child in read.children if child.hetu
    )
    counts = Counter(min(number, 3) for number in times.values())
    assert share(counts[1], len(times)) == pytest.approx(60, abs=3)
    assert share(counts[2], len(times)) == pytest.approx(20, abs=3)
    assert share(counts[3], len(times)) == pytest.approx(20, abs=3)
    assert sum(times.values()) / len(times) == pytest.approx(2.0, abs=0.1)


def test_subjects_urgency_and_clients_come_in_their_shares(year: Year) -> None:
    def percent(number: int) -> float:
        return share(number, len(year))

    reads = [read for _, read in year]
    urgent = sum("yes" in read.urgency.model_dump().values() for read in reads)
    custody = sum("LOCAL-REASON-CUSTODY-DISPUTE" in read.reasons for read in reads)
    mind = {"LOCAL-REASON-SELF-HARM", "LOCAL-REASON-CHILD-MENTAL-HEALTH"}
    psychiatric = sum(bool(mind.intersection(read.reasons)) for read in reads)
    children = [child for read in reads for child in read.children]
    assert percent(urgent) == pytest.approx(5, abs=1)
    assert percent(custody) == pytest.approx(10, abs=1.5)
    assert percent(psychiatric) == pytest.approx(8, abs=1.5)
    clients = sum(child.is_client == "yes" for child in children)
    assert share(clients, len(children)) == pytest.approx(30, abs=2.5)
    nameless = sum(child.hetu is None for child in children)
    assert share(nameless, len(children)) == pytest.approx(2, abs=0.8)
    siblings = sum(len(read.children) > 1 for read in reads)
    assert 5 <= percent(siblings) <= 20


def test_offices_keep_hours_and_the_police_write_on_monday_morning(year: Year) -> None:
    local = [message.at.astimezone(HELSINKI) for message, _ in first_sent(year)]
    assert share(sum(at.weekday() >= 5 for at in local), len(local)) < 12
    school = [m.at.astimezone(HELSINKI) for m, _ in first_sent(year) if m.source[:6] == "school"]
    assert all(at.weekday() < 5 and 8 <= at.hour <= 16 for at in school)
    police = [m.at.astimezone(HELSINKI) for m, _ in first_sent(year) if m.source[:6] == "police"]
    mornings = Counter(at.weekday() for at in police if 6 <= at.hour < 10)
    assert mornings[0] > 2 * max(mornings[day] for day in range(1, 7))


def test_a_repeat_is_the_same_message_sent_later(year: Year) -> None:
    sent = defaultdict(list)
    for message, _ in year:
        sent[message.source, message.source_id].append(message)
    again = [messages for messages in sent.values() if len(messages) > 1]
    assert share(len(again), len(sent)) == pytest.approx(0.5, abs=0.25)
    for first, second in again:
        assert second.at >= first.at
        assert (first.key, first.headers, first.value) == (second.key, second.headers, second.value)


def test_messages_come_in_time_order_and_state_when_they_arrived(year: Year) -> None:
    assert all(one.at <= other.at for (one, _), (other, _) in pairwise(year))
    for message, read in first_sent(year):
        headers = dict(message.headers)
        assert message.at.tzinfo == UTC
        assert message.at == read.arrived_at == datetime.fromisoformat(headers["ce_time"].decode())
        assert headers["ce_specversion"] == b"1.0"
        assert headers["ce_type"] == kinds.NOTIFICATION.type.encode()
        assert headers["content-type"] == b"application/json"
        assert headers["ce_id"] == message.key == message.source_id.encode()
        assert headers["ce_source"] == message.source.encode()


def test_there_are_a_dozen_sources(year: Year) -> None:
    assert len({message.source for message, _ in year}) == 12


def test_a_month_is_the_end_of_its_year(year: Year) -> None:
    days = list(county.month(last_day=LAST_DAY))
    assert days == [message for message, _ in year][-len(days) :]
    first, last = days[0].at.astimezone(HELSINKI), days[-1].at.astimezone(HELSINKI)
    assert first.date() == LAST_DAY - timedelta(days=29)
    assert last.date() <= LAST_DAY
    assert 600 < len(days) < 1_100


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_county() -> None:
    one = county.messages(500, seed=7, last_day=LAST_DAY)
    assert one == county.messages(500, seed=7, last_day=LAST_DAY)
    other = county.messages(500, seed=8, last_day=LAST_DAY)
    assert not {message.source_id for message in one} & {message.source_id for message in other}


def test_a_benchmark_gets_exactly_what_it_asks_for() -> None:
    for count in (0, 1, 999):
        asked = county.messages(count, last_day=LAST_DAY)
        assert len(asked) == count
        assert asked == sorted(asked, key=lambda message: message.at)


def test_a_larger_county_has_the_smaller_one_in_it() -> None:
    small = {m.source_id: m.value for m in county.month(last_day=LAST_DAY, children=5_000)}
    large = {m.source_id: m.value for m in county.month(last_day=LAST_DAY, children=20_000)}
    assert small.items() <= large.items()


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
                people[code.value].add((child["name"], child["address"]))
    assert len(people) > 9_000
    assert all(len(names) == 1 for names in people.values())
    assert {code[6] for code in people} == set("ABCDEF")


def test_children_born_on_one_day_have_codes_of_their_own() -> None:
    for born in (date(2015, 2, 3), date(2020, 6, 29)):
        codes = {hetu_of(Child(1, born, code)) for code in range(CODES_PER_DAY)}
        assert len(codes) == CODES_PER_DAY


def test_a_child_stays_the_same_from_message_to_message(year: Year) -> None:
    known: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for _, read in year:
        for child in read.children:
            if child.hetu and child.guardians:
                known[child.hetu].add((child.name, child.address, child.guardians))
    assert all(len(told) == 1 for told in known.values())


def test_no_real_place_is_named(year: Year) -> None:
    names = "|".join(SOME_REAL_MUNICIPALITIES)
    real = re.compile(rf"\b({names})\b")
    texts = (
        message.value.decode().replace(str(read.notifier.name), "") for message, read in year[::3]
    )
    found = {match for text in texts for match in real.findall(text)}
    assert not found
    assert not {name for name, _, _ in words.MUNICIPALITIES} & set(SOME_REAL_MUNICIPALITIES)


def test_mail_and_telephone_reach_nobody(year: Year) -> None:
    for _, read in year:
        assert read.notifier.email is None or read.notifier.email.endswith(".example")
        phones = [guardian.phone for child in read.children for guardian in child.guardians]
        assert all(
            phone is None or phone.startswith("000 ") for phone in (*phones, read.notifier.phone)
        )


def test_texts_differ_are_finished_and_hold_no_code(year: Year) -> None:
    texts = {read.observations for _, read in year}
    assert len(texts) > 2_000
    assert all(60 < len(text) < 1_000 and text[-1] in ".:" for text in texts)
    assert not any("{" in text or "  " in text or contains_hetu(text) for text in texts)
    assert all(
        re.match(r"[A-ZÅÄÖ]", part) for text in texts for part in re.split(r"\. (?!\d)", text)
    )
    assert {"ä", "ö"} <= set("".join(texts))
    languages = Counter(read.notifier.language for _, read in year)
    assert 2 <= share(languages["sv"], len(year)) <= 8
    assert 0 < share(languages["en"], len(year)) < 2


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


def test_only_private_persons_stay_anonymous(year: Year) -> None:
    nameless = [read for _, read in year if read.notifier.name is None]
    private = [read for _, read in year if read.notifier.kind == "private"]
    assert {read.notifier.kind for read in nameless} == {"private"}
    assert share(len(nameless), len(private)) == pytest.approx(30, abs=5)
