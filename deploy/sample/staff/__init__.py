"""The sample county's workers: who they are, when they are at work, what they decide and when.

Seeded and pure: the same cases give the same acts. An act whose time has not come yet is not done,
so the last days stay open as they would. Each kind of act is one function: those of the duty desk
in `duty`, those of social workers in `social`; `telling` writes the truth beside.
"""

from deploy.sample.staff.acting import Act, Aside, Notified, Standing, TrueName
from deploy.sample.staff.duty import answers, identities, look_at, settle
from deploy.sample.staff.people import DUTY, LEAD, SOCIAL, WORKERS, SampleWorker
from deploy.sample.staff.social import follow_up, join, read_again

__all__ = [
    "DUTY",
    "LEAD",
    "SOCIAL",
    "WORKERS",
    "Act",
    "Aside",
    "Notified",
    "SampleWorker",
    "Standing",
    "TrueName",
    "answers",
    "follow_up",
    "identities",
    "join",
    "look_at",
    "read_again",
    "settle",
]
