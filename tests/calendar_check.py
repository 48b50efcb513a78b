"""Reads an iCalendar feed as calendar programs do and prints what it says as JSON, for the tests of the feed.

Takes the feed from a file or from standard input. Every event is read in four ways: with the zones of the IANA database,
with the zones that the library builds out of the feed's VTIMEZONEs, with these by the letter of RFC 5545, and as an
occurrence between two dates, which is how calendars show it.
"""

import json
import sys
from datetime import timedelta, timezone

try:
    import icalendar
    import recurring_ical_events
except ImportError as missing:
    sys.exit(f"{missing}; run ./just once, it puts the calendar readers into .venv")


def in_utc(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def by_own_zones(zones, prop):
    """The instant of a DTSTART or DTEND with nothing but what the feed says of its zone."""
    name = prop.params.get("TZID")
    if name is None:
        return in_utc(prop.dt)
    local = prop.dt.replace(tzinfo=None)
    transitions = []
    for observance in zones[name].subcomponents:
        offset_from = observance["TZOFFSETFROM"].td
        begins = observance["DTSTART"].dt - offset_from
        transitions.append((begins, offset_from, observance["TZOFFSETTO"].td))
    # RFC 5545, 3.3.5: a time that comes twice is the first, one that never comes is counted by the clocks before.
    offset = None
    for begins, offset_from, offset_to in sorted(transitions):
        if local >= begins + max(offset_from, offset_to):
            offset = offset_to
    if offset is None:
        raise ValueError(f"no observance of {name} has begun at {local}")
    return (local - offset).strftime("%Y-%m-%dT%H:%M:%SZ")


def by_built_zone(built, prop):
    """The instant by the zone that the library builds out of the VTIMEZONE."""
    name = prop.params.get("TZID")
    if name is None:
        return in_utc(prop.dt)
    return in_utc(prop.dt.replace(tzinfo=built[name]))


def main():
    feed = open(sys.argv[1], "rb").read() if len(sys.argv) > 1 else sys.stdin.buffer.read()
    calendar = icalendar.Calendar.from_ical(feed)
    broken = [str(error) for part in calendar.walk() for error in part.errors]
    zones = {str(zone["TZID"]): zone for zone in calendar.walk("VTIMEZONE")}
    built = {name: zone.to_tz(lookup_tzid=False) for name, zone in zones.items()}
    events = {}
    for event in calendar.walk("VEVENT"):
        start, end = event["DTSTART"], event["DTEND"]
        events[str(event["UID"])] = {
            "startsAt": in_utc(start.dt),
            "endsAt": in_utc(end.dt),
            "startsAtByOwnZones": by_own_zones(zones, start),
            "endsAtByOwnZones": by_own_zones(zones, end),
            "startsAtByBuiltZones": by_built_zone(built, start),
            "endsAtByBuiltZones": by_built_zone(built, end),
            "zone": start.params.get("TZID"),
            "summary": str(event["SUMMARY"]),
            "location": str(event["LOCATION"]) if "LOCATION" in event else None,
            "description": str(event["DESCRIPTION"]),
            "status": str(event["STATUS"]),
            "sequence": int(event["SEQUENCE"]),
            "stamp": in_utc(event["DTSTAMP"].dt),
            "created": in_utc(event["CREATED"].dt),
            "modified": in_utc(event["LAST-MODIFIED"].dt),
            "occurrences": [],
        }
    if events:
        day = timedelta(days=1)
        first = min(event["DTSTART"].dt for event in calendar.walk("VEVENT")) - day
        last = max(event["DTEND"].dt for event in calendar.walk("VEVENT")) + day
        for occurrence in recurring_ical_events.of(calendar).between(first, last):
            events[str(occurrence["UID"])]["occurrences"].append(in_utc(occurrence["DTSTART"].dt))
    json.dump({"errors": broken, "zones": sorted(zones), "events": events}, sys.stdout)


if __name__ == "__main__":
    main()
