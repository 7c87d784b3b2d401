"""What a takeover would write for an endpoint, and what would be lost by it: pure, from what was read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from hubwarden.dns.plan import Rules
from hubwarden.dns.wants import Wishes
from hubwarden.model.endpoint import ConnectionStatus, Endpoint
from hubwarden.model.hub import HubZones
from hubwarden.model.plan import Put, Want
from hubwarden.model.record import Keeper, Owner, RecordKey, RecordSet, Standing, Unread
from hubwarden.model.resource_id import fold
from hubwarden.model.takeover import Obstacle, ObstacleReason, Takeover, ZoneGroup


def takeover_of(
    endpoint: Endpoint,
    groups: Sequence[ZoneGroup],
    wishes: Wishes,
    standing: Standing,
    made: Collection[RecordKey],
    hubs: Sequence[HubZones],
    rules: Rules,
) -> Takeover:
    """The takeover of an endpoint's zone group, with all that is in its way as far as the endpoint and the zones tell.

    `made` are the records that the group made, by its own word or by their metadata; `standing` knows each of them and
    each that the endpoint wants. Nothing may be lost: each must be wanted for this endpoint with the same addresses.
    """
    wants = {want.key: want for want in wishes.wants}
    group = groups[0] if groups else None
    obstacles = [*_unready(endpoint), *_of_groups(endpoint, groups, hubs)]
    for key in sorted(made):
        if group is None:
            obstacles.append(_left_behind(key, standing[key]))
        else:
            obstacles += _of_record(endpoint, key, wants.get(key), standing[key], wishes, rules)
    puts = tuple(
        _put(endpoint, want, standing[key], rules)
        for key, want in sorted(wants.items())
        if key in made or standing[key] is None
    )
    if group is None and not puts and not obstacles:
        detail = "it has no DNS zone group, and nothing that it wants is missing"
        obstacles.append(Obstacle(ObstacleReason.NO_GROUP, detail))
    return Takeover(endpoint.id, group, puts, tuple(obstacles))


def _unready(endpoint: Endpoint) -> Iterator[Obstacle]:
    if not endpoint.settled:
        yield Obstacle(ObstacleReason.NOT_READY, "the endpoint's provisioningState is not Succeeded")
    if endpoint.status is not ConnectionStatus.APPROVED:
        detail = f"the connection is {endpoint.status}, so that no name may be published for it"
        yield Obstacle(ObstacleReason.NOT_APPROVED, detail)


def _of_groups(endpoint: Endpoint, groups: Sequence[ZoneGroup], hubs: Sequence[HubZones]) -> Iterator[Obstacle]:
    if len(groups) > 1:
        detail = f"the endpoint shows {len(groups)} zone groups, and Azure allows one"
        yield Obstacle(ObstacleReason.UNKNOWN, detail)
    if groups and not endpoint.guid:
        detail = "the endpoint shows no resourceGuid, so that its records cannot be told from others'"
        yield Obstacle(ObstacleReason.UNKNOWN, detail)
    for group in groups:
        if not group.settled:
            yield Obstacle(ObstacleReason.NOT_READY, f"the zone group {group.id.name} is being changed")
        for each in group.zones:
            if any(hub.holds(each.zone) for hub in hubs):
                continue
            if trouble := [hub for hub in hubs if hub.trouble]:
                detail = f"whether {each.zone} is a zone of ours: hub {trouble[0].hub.name}: {trouble[0].trouble}"
                yield Obstacle(ObstacleReason.UNKNOWN, detail)
            else:
                detail = f"the group also writes into {each.zone}, which is no zone of our hubs"
                yield Obstacle(ObstacleReason.FOREIGN_ZONE, detail)


def _of_record(
    endpoint: Endpoint,
    key: RecordKey,
    want: Want | None,
    record: RecordSet | Unread | None,
    wishes: Wishes,
    rules: Rules,
) -> Iterator[Obstacle]:
    """What would be lost, or is not known, of one record that the group made."""
    if record is None:
        return  # what does not stand there cannot be lost
    if want is None:
        yield Obstacle(ObstacleReason.NOT_WANTED, f"{key} would be lost: {_why_unwanted(key, wishes)}")
    elif key.fqdn in rules.protected or want.fqdn in rules.protected:
        yield Obstacle(ObstacleReason.PROTECTED, f"records.protected names {key.fqdn}")
    if isinstance(record, Unread):
        yield Obstacle(ObstacleReason.UNKNOWN, f"what stands under {key}: {record.detail}")
    elif not is_made_for(record, endpoint.guid):
        maker = f", made for the endpoint with resourceGuid {record.maker}" if record.maker else ""
        detail = f"{key} is not this group's any more ({record.keeper}{maker}), and may go with it"
        yield Obstacle(ObstacleReason.OTHERS_RECORD, detail)
    elif want is not None and set(record.addresses) != set(want.addresses):
        detail = f"{key} stands with {_joined(record.addresses)}; wanted: {_joined(want.addresses)}"
        yield Obstacle(ObstacleReason.OTHER_ADDRESSES, detail)


def _left_behind(key: RecordKey, record: RecordSet | Unread | None) -> Obstacle:
    if isinstance(record, Unread):
        return Obstacle(ObstacleReason.UNKNOWN, f"what stands under {key}: {record.detail}")
    detail = f"{key} was left behind by a zone group that is gone: delete it by hand, then run takeover again"
    return Obstacle(ObstacleReason.OTHERS_RECORD, detail)


def is_doubtful(record: RecordSet | Unread | None, guid: str) -> bool:
    """Whether a record that may be made for that endpoint is, as far as it can be read."""
    return isinstance(record, Unread) or (record is not None and is_made_for(record, guid))


def is_made_for(record: RecordSet, guid: str) -> bool:
    """Whether a zone group made the record for the endpoint with that resourceGuid."""
    return record.keeper is Keeper.ZONE_GROUP and bool(guid) and record.maker == fold(guid)


def _why_unwanted(key: RecordKey, wishes: Wishes) -> str:
    """Why the record is not one of the endpoint's, as far as what is held back says so."""
    label = key.name.partition(".")[0]
    about = [held for held in wishes.held if not held.name or fold(held.name).startswith(label)]
    reasons = "; ".join(dict.fromkeys(f"{held.reason} ({held.detail})" for held in about))
    return reasons or "the endpoint has no such name for that zone"


def _put(endpoint: Endpoint, want: Want, record: RecordSet | Unread | None, rules: Rules) -> Put:
    """Ours, which insists that nothing stands there."""
    why = "taken over from the endpoint's DNS zone group" if record else "wanted, and nothing stands there"
    was = record.addresses if isinstance(record, RecordSet) else ()
    mark = Owner(rules.instance, endpoint.id, endpoint.guid)
    return Put.of(want, mark, ttl=rules.ttl, was=was, etag=None, why=why)


def _joined(addresses: Iterable[object]) -> str:
    return ", ".join(map(str, addresses)) or "none"
