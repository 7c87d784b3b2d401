"""Looks at private DNS (behaviour reference section 3)."""

from __future__ import annotations

from tests.contract.live.estate import DNS, AzureEstate, error_of, record_body
from tests.contract.live.sightings import Seen, observes

_MOST_ENTRIES = 100
_LONGEST_VALUE = 1024
# Four entries, one of them a resource id as long as Azure allows: what the product writes beside its addresses.
_MARK = {"hubwarden": "1", "hubwarden_instance": "i" * 40, "hubwarden_endpoint": "e" * 300, "hubwarden_guid": "g" * 36}


@observes(
    "the body of the 404 of a missing record set",
    section="3.8",
    believed="bare",
    version=DNS,
    switch="recordNotFoundWrapped",
    ways={"bare": False, "wrapped": True},
)
async def missing_record(estate: AzureEstate) -> Seen:
    answer = await estate.ask("GET", f"{estate.place.zone}/A/missing", version=DNS)
    assert answer.status == 404
    error = error_of(answer)
    # The two codes that the product takes for the absence of a record.
    assert error["code"] in ("NotFound", "ResourceNotFound"), answer.body
    return Seen("wrapped" if "error" in answer.body else "bare", f"{error['code']}: {error['message']}")


@observes(
    "the code of the 404 of a record set in a missing zone",
    section="3.8",
    believed="ParentResourceNotFound",
    version=DNS,
)
async def record_of_missing_zone(estate: AzureEstate) -> Seen:
    answer = await estate.ask("GET", f"{estate.place.zone}.missing/A/any", version=DNS)
    assert answer.status == 404, answer.body
    return Seen(error_of(answer)["code"], error_of(answer)["message"])


@observes(
    "deleting a missing record set with `If-Match`",
    section="3.4",
    believed="204",
    version=DNS,
    switch="missingDeleteInsists",
    ways={"204": False, "412": True},
)
async def delete_of_missing_record(estate: AzureEstate) -> Seen:
    etag = {"If-Match": '"00000000-0000-0000-0000-000000000000"'}
    answer = await estate.ask("DELETE", f"{estate.place.zone}/A/missing", version=DNS, headers=etag)
    return Seen(str(answer.status), str(answer.body or ""))


@observes(
    "whether the service takes the quoted `If-Match` that the SDK sends",
    section="3.4",
    believed="quoted and bare",
    version=DNS,
    ways=("quoted and bare", "only quoted"),
)
async def quoted_if_match(estate: AzureEstate) -> Seen:
    record_id = await estate.record("quoted")

    async def takes(quote: str) -> bool:
        etag = (await estate.ask("GET", record_id, version=DNS)).body["etag"].strip('"')
        insisting = {"If-Match": f"{quote}{etag}{quote}"}
        answer = await estate.ask("PUT", record_id, record_body(), version=DNS, headers=insisting)
        assert answer.status in (200, 412), answer.body
        return answer.status == 200

    assert await takes('"'), "a quoted etag that is the record's own was refused: every change would be"
    return Seen("quoted and bare" if await takes("") else "only quoted")


@observes(
    "whether an etag in the body counts without a header",
    section="3.4",
    believed="ignored",
    version=DNS,
    ways=("ignored", "412"),
)
async def etag_in_the_body(estate: AzureEstate) -> Seen:
    record_id = await estate.record("body-etag")
    body = {"etag": "00000000-0000-0000-0000-000000000000", **record_body("10.250.0.251")}
    answer = await estate.ask("PUT", record_id, body, version=DNS)
    return Seen("ignored" if answer.status == 200 else str(answer.status), str(error_of(answer).get("message", "")))


@observes(
    "the letter case of a record set's name",
    section="3.3",
    believed="as given",
    version=DNS,
    ways=("as given", "lower case"),
)
async def case_of_record_names(estate: AzureEstate) -> Seen:
    record_id = await estate.record("MiXed")
    stored = (await estate.ask("GET", record_id, version=DNS)).body["name"]
    again = await estate.ask("GET", record_id.replace("MiXed", "mixed"), version=DNS)
    assert again.status == 200, "one name in another case is not found"
    ways = {"MiXed": "as given", "mixed": "lower case"}
    return Seen(ways.get(stored, stored))


@observes(
    "the letter case of the resource group in zone and record ids",
    section="6.5",
    believed="as given",
    version=DNS,
    switch="lowerCaseDnsGroups",
    ways={"as given": False, "lower case": True, "the group has no capitals": None},
)
async def case_of_group_in_ids(estate: AzureEstate) -> Seen:
    group = estate.place.group
    if group == group.lower():
        return Seen("the group has no capitals")
    shown = (await estate.ask("GET", estate.place.zone, version=DNS)).body["id"].split("/")[4]
    return Seen({group: "as given", group.lower(): "lower case"}.get(shown, shown))


@observes(
    "what a PUT without metadata does to the metadata that was there",
    section="3.3",
    believed="dropped",
    version=DNS,
    ways=("dropped", "kept"),
)
async def put_without_metadata(estate: AzureEstate) -> Seen:
    record_id = await estate.record("no-metadata", owner="us")
    await estate.record("no-metadata")
    shown = (await estate.ask("GET", record_id, version=DNS)).body["properties"].get("metadata")
    return Seen("kept" if shown else "dropped", str(shown or ""))


@observes("limits of a record set's metadata", section="3.7", believed="none found", version=DNS)
async def limits_of_metadata(estate: AzureEstate) -> Seen:
    record_id = await estate.record("metadata", **_MARK)
    shown = (await estate.ask("GET", record_id, version=DNS)).body["properties"]["metadata"]
    assert shown == _MARK, "what the product writes is not kept as it is"

    async def refused(metadata: dict[str, str]) -> str:
        answer = await estate.ask("PUT", record_id, record_body(**metadata), version=DNS)
        return "" if answer.status == 200 else str(error_of(answer))

    entries = await refused({f"k{n}": "v" for n in range(_MOST_ENTRIES)})
    value = await refused({"k": "v" * _LONGEST_VALUE})
    if not entries and not value:
        return Seen(f"none up to {_MOST_ENTRIES} entries, or {_LONGEST_VALUE} characters in one")
    return Seen("limited; the product's four entries are taken", " / ".join(filter(None, (entries, value))))


@observes("how an A record beside a CNAME is refused", section="3.3", believed="400", version=DNS, ways=("400", "409"))
async def record_beside_a_cname(estate: AzureEstate) -> Seen:
    alias = f"{estate.place.zone}/CNAME/beside"
    body = {"properties": {"ttl": 10, "cnameRecord": {"cname": "other.example"}}}
    answer = await estate.ask("PUT", alias, body, version=DNS)
    assert answer.status == 201, answer.body
    refusal = await estate.ask("PUT", f"{estate.place.zone}/A/beside", record_body(), version=DNS)
    error = error_of(refusal)
    return Seen(str(refusal.status), f"{error.get('code')}: {error.get('message')}")


@observes(
    "whether a zone group overwrites a record that stands there",
    section="2.4",
    believed="overwritten",
    version=DNS,
    ways=("overwritten", "left"),
)
async def zone_group_over_a_record(estate: AzureEstate) -> Seen:
    name = f"hw{estate.place.run}"
    await estate.record(name, "10.250.0.250", owner="us")
    endpoint_id = await estate.request_endpoint("zonegroup")
    config = {"name": "blob", "properties": {"privateDnsZoneId": estate.place.zone}}
    body = {"properties": {"privateDnsZoneConfigs": [config]}}
    await estate.make(f"{endpoint_id}/privateDnsZoneGroups/default", body)
    shown = (await estate.ask("GET", f"{estate.place.zone}/A/{name}", version=DNS)).body["properties"]
    metadata = shown.get("metadata") or {}
    if metadata.get("creator"):
        # By this beginning the product tells whose the record is.
        assert metadata["creator"].startswith("created by private endpoint"), metadata
        return Seen("overwritten", f"ttl {shown['ttl']}, {metadata}")
    return Seen("left" if metadata == {"owner": "us"} else str(metadata))
