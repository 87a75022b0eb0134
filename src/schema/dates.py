"""A day or a time as the model sees it: numbers of the calendar, the same in training and in a request."""

import re
from datetime import UTC, date, datetime

# What is read: 2013-07-04, and 2013-07-04T09:30 with seconds and a zone or without, as ISO 8601 has them.
ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?", flags=re.ASCII
)
EPOCH = date(1970, 1, 1).toordinal()


def read_moment(text: str) -> datetime:
    """Return the moment that `text` names, in UTC; one without a zone is taken as it is.

    Raises:
        ValueError: it is none in ISO 8601, or there is no such day.
    """
    if not ISO.fullmatch(text):
        raise ValueError("not a date such as 2013-07-04, or a time such as 2013-07-04T09:30")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def is_moment(text: str) -> bool:
    """Return whether `read_moment` takes `text`."""
    try:
        read_moment(text)
    except (ValueError, OverflowError):
        return False
    return True


def parts(moment: datetime, has_time: bool) -> tuple[float, ...]:
    """Return the day since 1970, the year, the month, the day of the week from 1 for Monday, and the hour.

    The hour, with its minutes and seconds as a fraction, only of a column that `has_time`.
    """
    numbers = (
        float(moment.toordinal() - EPOCH),
        float(moment.year),
        float(moment.month),
        float(moment.isoweekday()),
    )
    if not has_time:
        return numbers
    return (*numbers, moment.hour + moment.minute / 60 + (moment.second + moment.microsecond / 1e6) / 3600)


PARTS = ("day", "year", "month", "weekday", "hour")
