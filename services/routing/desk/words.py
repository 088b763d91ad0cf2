"""Codes in words, and clocks in words. Texts are English here; catalogues translate them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.routing.desk.languages import N_, Words
from services.routing.domain.clocks import ClockSettings, counts_as_working_day, last_day
from shared.clock import HELSINKI

HOLDERS: Mapping[str, str] = {
    "duty": N_("Duty desk"),
    "own_worker": N_("The child's own worker"),
    "initial_assessment": N_("Initial assessment"),
    "person_decides": N_("A person decides"),
}
DESTINATIONS: Mapping[str, str] = {
    "expert_group": N_("Expert group"),
    "psychiatry": N_("Child psychiatry"),
    "school_health": N_("School health care"),
    "hospital_school": N_("Hospital school"),
    "basic_services": N_("Basic services"),
    "family_work": N_("Family work"),
    "school_welfare": N_("School welfare"),
    "child_health_clinic": N_("Maternity and child health clinic"),
    "family_centre": N_("Family centre"),
    "systemic_team": N_("Weekly systemic team"),
    "palasista_eteenpain": N_("Palasista eteenpäin"),
    "lapsen_hyva": N_("Lapsen hyvä council"),
    "placed_child_school_path": N_("Placed child's school path"),
    "outreach_pair": N_("Outreach pair"),
    "family_group_conference": N_("Family group conference"),
    "lets_talk": N_("Let's Talk about Children"),
    "youth_substance_care": N_("Substance care for those under 18"),
    "peer_group": N_("Children's peer group"),
    "demanding_substitute_care": N_("Demanding substitute care"),
    "ot_support": N_("OT support"),
    "barnahus": N_("Barnahus"),
}
CLINICS: Mapping[str, str] = {
    "child": N_("Child psychiatry"),
    "adolescent": N_("Adolescent psychiatry"),
    "near_limit": N_("Near the age limit"),
    "unknown": N_("Not known"),
}
"""Whose patient a child is (`psychiatry_clinic`)."""
TOLD_BY: Mapping[str, str] = {
    "notifier": N_("Notifier"),
    "school": N_("School"),
    "family": N_("Family"),
    "own_worker": N_("The child's own worker"),
    "health_care": N_("Health care"),
    "other": N_("Somebody else"),
}
PROPOSAL_STATES: Mapping[str, str] = {
    "proposed": N_("Proposed"),
    "accepted": N_("Accepted"),
    "declined": N_("Declined"),
    "withdrawn": N_("No longer proposed"),
}
LEVELS: Mapping[str, str] = {
    "perus": N_("Basic level"),
    "erityis": N_("Special level"),
    "vaativa": N_("Demanding level"),
}
AGE_BANDS: Mapping[str, str] = {
    "unborn": N_("Unborn"),
    "0-6": N_("0–6 years"),
    "7-12": N_("7–12 years"),
    "13-15": N_("13–15 years"),
    "16-17": N_("16–17 years"),
    "adult": N_("Adult"),
    "unknown": N_("Age not known"),
}
URGENCIES: Mapping[str, str] = {
    "open": N_("Urgency not judged yet"),
    "urgent": N_("Urgent"),
    "not_urgent": N_("Not urgent"),
    "not_asked": N_("Urgency not asked"),
}
KINDS: Mapping[str, str] = {
    "notification": N_("Child-protection notification"),
    "joint_contact": N_("Contact together with the family"),
    "contact": N_("Contact without the family"),
    "application": N_("Application"),
    "police_report": N_("Police report"),
    "anticipatory": N_("Anticipatory notification"),
    "consultation_request": N_("Consultation request of psychiatry"),
    "transfer": N_("Transfer from another county"),
    "absence": N_("School's absence signal"),
}
CLOCKS: Mapping[str, str] = {
    "urgency": N_("Urgency check"),
    "assessment_start": N_("Start of the assessment"),
    "family_told": N_("Telling the family"),
    "assessment_finish": N_("Assessment ready"),
}
ROLES: Mapping[str, str] = {
    "duty": N_("Duty worker"),
    "social_worker": N_("Social worker"),
    "supervisor": N_("Supervisor"),
}
ACTS: Mapping[str, str] = {
    "urgency_answered": N_("Urgency judged"),
    "holder_confirmed": N_("Holder confirmed"),
    "holder_overridden": N_("Holder changed"),
    "level_confirmed": N_("Level confirmed"),
    "level_overridden": N_("Level judged to be another"),
    "destination_accepted": N_("Destination accepted"),
    "destination_declined": N_("Destination declined"),
    "assessment_started": N_("Assessment started"),
    "manifestly_unnecessary": N_("Assessment manifestly unnecessary"),
    "family_told": N_("Family told"),
    "assessment_finished": N_("Assessment finished"),
    "duty_item_closed": N_("Item closed"),
    "redriven": N_("Taken again"),
    "identity_given": N_("Identity given"),
    "merged": N_("Joined: two cases are one person's"),
    "separated": N_("Separated: a case of its own"),
    "withdrawn": N_("Message taken back by its source"),
    "client_changed": N_("Client information changed"),
    "household_changed": N_("Something about the household changed"),
    "questions_answered": N_("Questions answered"),
    "household_stated": N_("Household stated by a worker"),
    "wrong_county": N_("Belongs to another county"),
    "is_matter": N_("Absence signal treated as a matter"),
    "no_matter": N_("Absence signal is no matter"),
}
GROUNDS: Mapping[str, str] = {
    "recently_assessed": N_("The need for services was assessed recently"),
    "no_services_needed": N_("The child evidently needs no services"),
    "other": N_("Another ground"),
}
ANSWERS: Mapping[str, str] = {
    "yes": N_("Yes"),
    "no": N_("No"),
    "unknown": N_("Not known"),
    "first_hand": N_("Own observation"),
    "second_hand": N_("Heard from another"),
    "guardian": N_("Guardian"),
    "child": N_("Child"),
    "victim": N_("Victim"),
    "suspect": N_("Suspect"),
    "present": N_("Present"),
    "together": N_("Of one household"),
    "apart": N_("Not of one household"),
}
FACTS: Mapping[str, str] = {
    "a1": N_("Health"),
    "a2": N_("Mental health"),
    "a3": N_("Neuropsychiatric difficulties"),
    "a4": N_("Substances and addictions"),
    "a5": N_("Daily life and school"),
    "a6": N_("Safety"),
    "a7": N_("Problems piling up"),
    "a8": N_("Parenting"),
    "a9": N_("Cooperation of those involved"),
    "a10": N_("How services work"),
    "in_danger": N_("Child in danger now"),
    "assault_suspected": N_("Assault or sexual abuse suspected"),
    "alone_guardians_unreachable": N_("Child alone, guardians cannot be reached"),
    "judged_urgent_by_authority": N_("Judged urgent by another authority"),
    "self_harm": N_("Self-harm"),
    "own_substance_use": N_("Own substance use"),
    "addiction": N_("Own addiction"),
    "custody_dispute": N_("Custody dispute"),
    "rare_domain": N_("Matter that needs rare expertise"),
    "psychiatry_asks": N_("Psychiatry asks for a consultation"),
    "absence_confirmed": N_("Absence confirmed by the school"),
    "absence_health": N_("Absence for reasons of health"),
    "absence_step_reached": N_("Step of absence reached"),
    "support_tried": N_("Support tried without enough effect"),
    "referral_returned": N_("Referral returned or refused"),
    "existing_client": N_("Already a client"),
    "has_worker": N_("Responsible worker of its own"),
    "placed": N_("Placed"),
    "placed_urgently": N_("Placed urgently"),
    "placement_planned": N_("A placement is planned"),
    "moved_between_placements": N_("Moved often between placements"),
    "consent": N_("The family agrees to planning together"),
    "age_band": N_("Age"),
}
STATED: Mapping[str, str] = {
    "own_substance_use": N_("Own substance use"),
    "own_addiction": N_("Own addiction"),
    "is_client": N_("Already a client"),
    "absence_step": N_("Step of absence reached"),
    "moves": N_("Moves between placements in 12 months"),
    "last_year_of_band": N_("In the last year of its age band"),
    "notifications": N_("Number of notifications"),
    "siblings": N_("Other children of the household somebody has notified of"),
    "urgency": N_("Urgency"),
    "areas_of_concern": N_("Areas of concern"),
    "areas_besides_a10": N_("Areas of concern besides services"),
    "areas_unknown": N_("Areas of which nothing is known"),
    "several_areas": N_("Several areas of concern"),
    "many_areas_besides_a10": N_("Many areas of concern besides services"),
    "radar": N_("Messages keep coming from independent sources"),
    "signals": N_("Messages about the child and its household in 12 months"),
    "sources": N_("Independent sources that they came from"),
    "sources_3": N_("Independent sources in 3 months"),
    "expert_group_full": N_("Expert group full"),
    "psychiatry_full": N_("Psychiatry's seats full"),
    "psych": N_("Mental health or own substance use"),
    "safety": N_("Concern about safety"),
    "flagged": N_("Sign of urgency"),
    "level": N_("Level"),
}
"""What is stated or looked at by rows besides `FACTS`."""
TABLES: Mapping[str, str] = {
    "facts": N_("Facts"),
    "urgent": N_("Signs of urgency"),
    "level": N_("Level"),
    "holder": N_("Holder"),
    "destinations": N_("Proposed besides"),
    "left-out": N_("Not offered here"),
}
SAID_BY: Mapping[str, str] = {
    "social_care": N_("Social care"),
    "health_care": N_("Health care"),
    "early_education": N_("Early education"),
    "education": N_("School"),
    "youth_work": N_("Youth work"),
    "police": N_("Police"),
    "criminal_sanctions": N_("Prison and probation service"),
    "rescue": N_("Rescue service"),
    "religious_community": N_("Religious community"),
    "reception_centre": N_("Reception centre"),
    "emergency_response_centre": N_("Emergency response centre"),
    "afternoon_activity": N_("Morning or afternoon activities"),
    "customs": N_("Customs"),
    "border_guard": N_("Border guard"),
    "enforcement": N_("Enforcement authority"),
    "kela": N_("Kela"),
    "other_mandated": N_("Another body that must notify"),
    "guardian": N_("Guardian"),
    "private": N_("Private person"),
    "child": N_("Child"),
    "household": N_("From what is known of another child of the household"),
    "client_system": N_("Client information system"),
}
"""Kinds of notifiers, never who; and who says something that no message says."""
REASONS: Mapping[str, str] = {
    "LOCAL-REASON-NEGLECT": N_("Neglect of the child's care"),
    "LOCAL-REASON-ABANDONMENT": N_("Child left without care"),
    "LOCAL-REASON-ASSAULT": N_("Suspected assault"),
    "LOCAL-REASON-SEXUAL-ABUSE": N_("Suspected sexual abuse"),
    "LOCAL-REASON-THREAT": N_("Threat of violence"),
    "LOCAL-REASON-GUARDIAN-SUBSTANCE": N_("Guardian's substance use"),
    "LOCAL-REASON-GUARDIAN-MENTAL-HEALTH": N_("Guardian's mental health"),
    "LOCAL-REASON-GUARDIAN-EXHAUSTION": N_("Guardian's exhaustion"),
    "LOCAL-REASON-CUSTODY-DISPUTE": N_("Dispute over custody"),
    "LOCAL-REASON-CHILD-SUBSTANCE": N_("Child's substance use"),
    "LOCAL-REASON-CHILD-ADDICTION": N_("Child's addiction"),
    "LOCAL-REASON-CHILD-MENTAL-HEALTH": N_("Child's mental health"),
    "LOCAL-REASON-SELF-HARM": N_("Child's self-harm"),
    "LOCAL-REASON-CHILD-CRIME": N_("Child's crime"),
    "LOCAL-REASON-RUNAWAY": N_("Running away"),
    "LOCAL-REASON-NEUROPSYCHIATRIC": N_("Neuropsychiatric symptoms"),
    "LOCAL-REASON-ILLNESS": N_("Illness or disability"),
    "LOCAL-REASON-SCHOOL": N_("Absence from school or difficulties there"),
    "LOCAL-REASON-INTERACTION": N_("Difficulties between child and parent"),
    "LOCAL-REASON-SUPPORT-WITHOUT-EFFECT": N_("Support has had no effect"),
    "LOCAL-REASON-RESPONSIBILITY": N_("Unclear who is responsible for the child"),
    "LOCAL-REASON-POOR-FINANCES": N_("Poor finances"),
}
TEXTS: Mapping[str, str] = {
    "observations": N_("What the notifier saw or heard"),
    "knowledge": N_("How the notifier knows"),
    "reasons": N_("Reasons given"),
    "right_recipient": N_("Sent to the right recipient"),
    "acts_done": N_("What has been done"),
    "bodies_contacted": N_("Who has been contacted"),
    "police_report": N_("Reported to the police"),
    "earlier_attempts": N_("Earlier support"),
    "family_knows": N_("Family knows of the notification"),
    "child_knows": N_("Child knows of the notification"),
    "expectations": N_("What the notifier expects"),
    "made_with": N_("Made together with"),
    "grounds": N_("Grounds"),
    "support_wished": N_("Support wished for"),
    "consent": N_("Consent of the family"),
    "ground_without_consent": N_("Why without consent"),
    "services_wished": N_("Services wished for"),
    "hearing_wished": N_("Wishes to be heard"),
    "report_number": N_("Number of the police report"),
    "role": N_("Part of the child in it"),
    "heard_by_police": N_("Heard by the police"),
    "support_after_birth": N_("Support needed after the birth"),
    "question": N_("Question"),
    "clinic": N_("Clinic"),
    "from_county": N_("From the county of"),
    "first_received_at": N_("First received there"),
    "assessment_started": N_("Assessment started there"),
    "reason": N_("Reason"),
}
FILE_TYPES: Mapping[str, str] = {
    "application/pdf": N_("PDF"),
    "image/png": N_("PNG picture"),
    "image/jpeg": N_("JPEG picture"),
    "text/plain": N_("Plain text"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": N_("Word document"),
    "application/vnd.oasis.opendocument.text": N_("OpenDocument text"),
}
PERSON: Mapping[str, str] = {
    "name": N_("Name"),
    "hetu": N_("Personal identity code"),
    "birth_date": N_("Date of birth"),
    "address": N_("Address"),
    "school": N_("School or day care"),
    "is_client": N_("Already a client"),
    "own_worker": N_("Own worker"),
}
EXPECTING: Mapping[str, str] = {
    "name": N_("Expecting parent"),
    "hetu": N_("Personal identity code"),
    "birth_date": N_("Date of birth"),
    "address": N_("Address"),
    "phone": N_("Phone"),
    "is_client": N_("Already a client"),
}
CLIENTSHIPS: Mapping[str, str] = {
    "none": N_("Not a client"),
    "pending": N_("Pending, not a client yet"),
    "child_protection": N_("Client of child protection"),
    "aftercare": N_("Client of aftercare"),
    "ended": N_("Clientship ended"),
    "unknown": N_("Not known"),
}
PLACEMENTS: Mapping[str, str] = {
    "none": N_("Not placed"),
    "open_care": N_("Placed as support in open care"),
    "urgent": N_("Placed urgently"),
    "care": N_("Taken into care"),
    "unknown": N_("Not known"),
}
CUSTODIES: Mapping[str, str] = {
    "sole": N_("sole custody"),
    "joint": N_("joint custody"),
    "none": N_("no custody"),
    "unknown": N_("custody not known"),
}
MOVE_KINDS: Mapping[str, str] = {
    "unit": N_("to a unit"),
    "ward": N_("to a ward"),
    "home": N_("home"),
    "unknown": N_("it is not known where to"),
}
DECLARATIONS: Mapping[str, str] = {
    "consent": N_("Consent"),
    "prohibition": N_("Prohibition"),
}
SHIFTS: Mapping[str, str] = {
    "office_hours": N_("duty in office hours"),
    "sosiaalipaivystys": N_("social emergency service"),
}
HOURS: Mapping[str, str] = {
    "hours_unauthorised": N_("Without leave"),
    "hours_illness": N_("Illness"),
    "hours_authorised": N_("With leave of the school"),
    "hours_unclear": N_("Not cleared up"),
}
REASON_CLASSES: Mapping[str, str] = {
    "health": N_("Health"),
    "behaviour": N_("Behaviour"),
    "learning_psych": N_("Learning or psychic symptoms"),
    "home": N_("Home"),
    "unknown": N_("Not known"),
}
MISSING: Mapping[str, str] = {
    "confirmer": N_("Nobody at the school has confirmed it"),
    "step": N_("No step of the school is done"),
    "school-mar": N_("The school's multi-professional group has not met"),
}
SERVICES: Mapping[str, str] = {
    "intake": N_("Reception of messages"),
    "routing": N_("Routing of cases"),
    "notifications": N_("Sending of notices"),
}
OUTCOMES: Mapping[str, str] = {
    "quarantined": N_("A message arrived that could not be read"),
    "parked": N_("A message waits because it could not be applied"),
    "held": N_("A message waits because its source is paused"),
    "undeliverable": N_("A notice could not be delivered"),
    "missing": N_("A source sent messages that have not arrived"),
    "urgent": N_("The sender marked immediate danger: open the message now"),
    "separated": N_("Look again at what was done while children were joined"),
    "transfer": N_("Another county must be told of a child"),
    "unanswered": N_("Questions were not answered in time"),
    "look": N_("A supervisor looks at a case about which much has come"),
    "too_light": N_("A supervisor looks at proposals that were too light"),
}
ASIDE_REASONS: Mapping[str, str] = {
    "no-content": N_("The message is empty"),
    "too-large": N_("The message is too large"),
    "doubled-header": N_("The details on the envelope are faulty"),
    "null-header": N_("The details on the envelope are faulty"),
    "header-not-utf-8": N_("The details on the envelope are faulty"),
    "bad-envelope": N_("The details on the envelope are faulty"),
    "unknown-type": N_("Luotsi does not know this kind or version of message"),
    "personal-data-in-id": N_(
        "The sender has put a personal identity code into the message's own id"
    ),
    "invalid-content": N_("A field is missing, misspelt or wrong"),
    "doubled-key": N_("A field is there twice"),
    "same-id-other-content": N_(
        "The sender has used the id of an earlier message for other content"
    ),
    "withdraws-unknown": N_("It takes back a message that is not known"),
    "not-your-kind": N_("The sender may not send this kind of message"),
    "wrong-topic": N_("It was sent to the wrong place"),
    "handler-failed": N_("A fault of Luotsi, which an engineer mends"),
    "waits-behind-parked": N_("It waits behind an earlier message about the same child"),
    "acted-while-joined": N_("Somebody acted on the joined case"),
    "wrong-county": N_("A worker has found that the child belongs to another county"),
    "moved-out": N_("The home municipality is in another county now"),
    "unanswered-in-time": N_(
        "Answers that could change the proposal are missing, and the assessment has not begun"
    ),
    "radar": N_("In a year much has come about the child or its siblings, not from one source"),
    "too-light": N_(
        "With what came late, was corrected or was found out of the household, earlier proposals "
        "would have been heavier"
    ),
}
"""Why something was set aside, for those the desk can say in words; else the code stands alone."""

TASK_HINTS: Mapping[str, str] = {
    "acted-while-joined": N_(
        "Acts of that time are marked in the histories of both cases. Time limits that they "
        "stopped have stayed stopped: see whether that is right for each child. A social worker "
        "or a supervisor closes this."
    ),
    "wrong-county": N_(
        "The right county is that of the child's residence. Bring the matter there with its time "
        "of receipt here, which stays. If it is urgent, call its social emergency service or 112. "
        "Luotsi sends nothing by itself, and time limits run on."
    ),
    "moved-out": N_(
        "Tell the new county of the child, also while an assessment is under way (Child Welfare "
        "Act, section 25 d, subsection 1). Luotsi sends nothing by itself, and time limits run on."
    ),
    "unanswered-in-time": N_(
        "The proposal is provisional. See to it that the questions on the case page are asked, or "
        "that the assessment begins without the answers: it need not wait for them. The task goes "
        "away by itself when either is done. A supervisor closes it."
    ),
    "radar": N_(
        "Look whether what has been done about the single messages meets the whole: read them "
        "together, with what came about the siblings. This is asked once for each child. The rule "
        "is the county's own construction. A supervisor closes this."
    ),
    "too-light": N_(
        "See whether something was left undone because of what was not known then. The rules that "
        "were in force then are used. The case has been screened anew. A supervisor closes this."
    ),
}
"""What a person has to do about each task."""

ALIKE: Mapping[str, str] = {
    "birth-date": N_("Same date of birth"),
    "names": N_("Two or more parts of the name are the same"),
    "name": N_("One part of the name is the same, as it is with twins"),
    "home": N_("Same guardian or same address"),
}

Tone = Literal["calm", "soon", "late", "done"]
FAR = 15  # working days; what is further off is given as a date
NEAR = 2


@dataclass(frozen=True, slots=True)
class ClockWords:
    """A clock as people read it; `tone` only repeats what the text says."""

    kind: str
    name: str
    text: str
    tone: Tone
    about: str = ""


def missing_words(words: Words, codes: Iterable[str]) -> tuple[str, ...]:
    """What a school has yet to do about an absence signal."""
    return tuple(
        words.text("Step %(number)s of the school is not done") % {"number": code[5:]}
        if code.startswith("step-")
        else words.of(MISSING, code)
        for code in codes
    )


def clock_words(
    words: Words,
    clock: Mapping[str, object],
    now: datetime,
    settings: ClockSettings,
) -> ClockWords:
    """A row of `clock` in words, such as "2 working days left" or "late since 25 Nov 2026"."""
    kind, about = str(clock["kind"]), str(clock["about"])
    target, due = _moment(clock["target"]), _moment(clock["due"])
    stopped = clock.get("stopped_at")
    if isinstance(stopped, datetime):
        text, tone = _stopped(words, stopped, due)
    elif kind == "urgency":
        text, tone = _minutes(words, _moment(clock["started_at"]), due, now)
    else:
        text, tone = _days(words, target, due, now, settings)
    return ClockWords(kind, words.of(CLOCKS, kind), text, tone, about)


def _stopped(words: Words, stopped: datetime, due: datetime) -> tuple[str, Tone]:
    if stopped < due:
        return words.text("done in time, %(when)s") % {"when": words.moment(stopped)}, "done"
    return words.text("done late, %(when)s") % {"when": words.moment(stopped)}, "done"


def _minutes(words: Words, started: datetime, due: datetime, now: datetime) -> tuple[str, Tone]:
    if now >= due:
        same_day = now.astimezone(HELSINKI).date() == due.astimezone(HELSINKI).date()
        when = words.time(due) if same_day else words.moment(due)
        return words.text("late since %(when)s") % {"when": when}, "late"
    minutes = -(-(due - now) // timedelta(minutes=1))
    tone: Tone = "soon" if now - started > due - now else "calm"
    return words.count("%(num)d minute left", "%(num)d minutes left", minutes), tone


def _days(
    words: Words, target: datetime, due: datetime, now: datetime, settings: ClockSettings
) -> tuple[str, Tone]:
    today = now.astimezone(HELSINKI).date()
    last, aim = last_day(due), last_day(target)
    if now >= due:
        since = words.day(last + timedelta(days=1))
        return words.text("late since %(when)s") % {"when": since}, "late"
    if today > aim:
        return words.text("target day has passed; last day %(day)s") % {
            "day": words.day(last)
        }, "soon"
    left = 0
    for ahead in range(1, (aim - today).days + 1):
        left += counts_as_working_day(today + timedelta(days=ahead), settings)
        if left > FAR:
            return words.text("until %(day)s") % {"day": words.day(aim)}, "calm"
    if aim == today:
        return words.text("today is the last day"), "soon"
    text = words.count("%(num)d working day left", "%(num)d working days left", left)
    return text, "soon" if left <= NEAR else "calm"


def _moment(value: object) -> datetime:
    assert isinstance(value, datetime)  # noqa: S101 -- a column that is never empty
    return value
