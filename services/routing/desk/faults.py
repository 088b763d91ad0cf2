"""What may stand in the way of an act, each with what a person can do about it."""

from uuid import UUID

from services.routing.desk.languages import N_

TEXTS = {
    "done-in-future": N_("The time of the act lies in the future. Give the time when it was done."),
    "done-before-receipt": N_(
        "The time of the act lies before the notification was received. Check the day and time."
    ),
    "done-too-long-ago": N_(
        "The time of the act lies more than 31 days back. Only a supervisor can record it."
    ),
    "urgency-open": N_(
        "The urgency has not been judged yet. Answer the urgency check first; "
        "until then the duty desk holds the case."
    ),
    "reason-needed": N_("Choosing another than the proposed one needs a reason."),
    "not-started": N_(
        "The assessment has not started. Record its start first, or that it is unnecessary."
    ),
    "nothing-running": N_("There is no clock left that this act would stop."),
    "unknown-notification": N_("One of the notifications does not belong to this case."),
    "erased": N_("The content of this case has been erased, so no reason can be kept with it."),
    "not-valid": N_("Something in the form is missing or not valid. Check the fields."),
    "invalid-hetu": N_("This is not a personal identity code. Check every character."),
    "still-fails": N_(
        "It still cannot be applied. An engineer must mend the cause first; it stays in the list."
    ),
    "has-its-turn": N_("The message is taken by itself when its turn comes."),
    "a-task": N_("This is a task and no message. Close it when it has been done."),
    "parked": N_(
        "What waits is not closed: it is taken again, and then what waits behind it goes on. "
        "While it cannot be applied, an engineer must mend the cause."
    ),
    "held": N_(
        "What is held is not closed: it is taken by itself when its source goes on. "
        "If it cannot wait, take it now."
    ),
    "already-answered": N_("Somebody else has answered this already."),
    "already-done": N_("Somebody else has recorded this already."),
    "proposal-changed": N_("The proposal has changed since you opened the page."),
    "already-identified": N_("This child has an identity already."),
    "known-identity": N_(
        "Luotsi knows this person already under another case. If they are one person, a social "
        "worker or a supervisor joins the cases."
    ),
    "joined": N_("This child has been joined to another. Everything is in the other case now."),
    "joined-already": N_("One of the two has been joined to another child already."),
    "not-together": N_("Nothing says that these two are of one household."),
    "not-joined": N_("This child is joined to nobody any more."),
    "same-child": N_("This is the same case."),
    "unknown-mark": N_("There is no other case with this mark."),
    "all-of-them": N_("At least one notification must stay with this child."),
    "role-needed": N_("Your role may not do this. A social worker or a supervisor can."),
    "supervisor-needed": N_("Only a supervisor may do this."),
    "login-needed": N_("Log in first."),
    "demo-only": N_(
        "Choosing a sample worker is possible only in the demonstration. "
        "This installation has no other login yet."
    ),
    "foreign-form": N_("The form is too old or comes from another page. Open the page again."),
    "not-there": N_("There is no such page, case or item."),
    "erased-original": N_("The original has been erased."),
    "erased-attachment": N_("The attachment has been erased."),
    "intake-away": N_(
        "The reception of messages does not answer just now. Nothing was changed; try again soon."
    ),
    "audit-away": N_(
        "The log of who has read what cannot be written just now, so nothing is shown. "
        "Try again soon."
    ),
    "not-ready": N_("The database cannot be reached just now. Nothing is lost; try again soon."),
    "broken": N_("Something went wrong here. It has been noted for the engineers."),
}


class Fault(Exception):
    """An answer other than success: status, code, and what a page shows with it."""

    status = 422

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(Fault):
    """The act is not possible as it was asked for."""


class NotThere(Fault):
    """No such case or item."""

    status = 404

    def __init__(self) -> None:
        super().__init__("not-there")


class Gone(Fault):
    """What was asked for has been erased."""

    status = 410


class NotAllowed(Fault):
    """The worker's role does not cover the act."""

    status = 403


class NotLoggedIn(Fault):
    """Nobody is logged in."""

    status = 401

    def __init__(self) -> None:
        super().__init__("login-needed")


class Unavailable(Fault):
    """Something else is needed and does not answer."""

    status = 503


class Conflict(Fault):
    """What the act names has changed. `act` is what another person did, where one did.

    `other` is the child in whose case it goes on.
    """

    status = 409

    def __init__(self, code: str, act: UUID | None = None, other: UUID | None = None) -> None:
        super().__init__(code)
        self.act = act
        self.other = other
