"""Looks at private endpoints and their interfaces (behaviour reference section 2)."""

from __future__ import annotations

from tests.contract.live.estate import NETWORK, AzureEstate
from tests.contract.live.sightings import Seen, observes


@observes(
    "how much of the interface `$expand=networkInterfaces` shows",
    section="2",
    believed="names and addresses",
    version=NETWORK,
    switch="expandNics",
    ways={"names and addresses": "full", "the id only": "ids"},
)
async def expanded_interface(estate: AzureEstate) -> Seen:
    place = estate.place
    query = {"$expand": "networkInterfaces"}
    answer = await estate.ask("GET", place.endpoint("approved"), version=NETWORK, query=query)
    (interface,) = answer.body["properties"]["networkInterfaces"]
    held = [each["properties"] for each in (interface.get("properties") or {}).get("ipConfigurations") or []]
    if not held:
        return Seen("the id only", f"keys: {', '.join(interface)}")
    names = [name for each in held for name in (each.get("privateLinkConnectionProperties") or {}).get("fqdns", [])]
    whole = names == [place.fqdn] and all(each.get("privateIPAddress") for each in held)
    return Seen("names and addresses" if whole else "a part", f"keys of a configuration: {', '.join(held[0])}")


@observes(
    "whether GET shows `resourceGuid`",
    section="2.1",
    believed="shown",
    version=NETWORK,
    switch="resourceGuidOnGet",
    ways={"shown": True, "not shown": False},
)
async def guid_of_an_endpoint(estate: AzureEstate) -> Seen:
    endpoint_id = estate.place.endpoint("approved")
    before = (await estate.endpoint(endpoint_id)).get("resourceGuid")
    body = {**estate.endpoint_body(), "tags": {"changed": "once"}}
    changed = await estate.ask("PUT", endpoint_id, body, version=NETWORK)
    assert changed.status in (200, 201), changed.body
    await estate.ready(endpoint_id)
    after = (await estate.endpoint(endpoint_id)).get("resourceGuid")
    assert before == after, "a change gave the endpoint another resourceGuid: its records would lose their owner"
    return Seen("shown" if before else "not shown")


@observes(
    "whether a Pending endpoint shows names in `customDnsConfigs`",
    section="2.2",
    believed="empty",
    version=NETWORK,
    switch="customDnsWhilePending",
    ways={"empty": False, "filled": True},
)
async def custom_dns_while_pending(estate: AzureEstate) -> Seen:
    shown = (await estate.endpoint(estate.place.endpoint("pending"))).get("customDnsConfigs")
    return Seen("filled" if shown else "empty", str(shown))


@observes(
    "whether a Pending endpoint's interface shows names",
    section="2.2",
    believed="none",
    version=NETWORK,
    switch="nicWhilePending",
    ways={"none": False, "shown": True},
)
async def interface_while_pending(estate: AzureEstate) -> Seen:
    names = await estate.interface_names(estate.place.endpoint("pending"))
    return Seen("shown" if names else "none", str(names))


@observes(
    "whether an endpoint is called ready before its interface shows names",
    section="2.6",
    believed="with its names",
    version=NETWORK,
    switch="nicLagMs",
    ways={"with its names": 0, "before its names": 60_000},
)
async def ready_before_names(estate: AzureEstate) -> Seen:
    endpoint_id = await estate.request_endpoint("lag")
    names = await estate.interface_names(endpoint_id)
    return Seen("with its names" if names == [estate.place.fqdn] else "before its names", str(names))


@observes(
    "whether Azure keeps `customDnsConfigs` that a caller wrote",
    section="2",
    believed="kept",
    version=NETWORK,
    switch="storeCustomDns",
    ways={"kept": True, "replaced by its own": False},
)
async def own_custom_dns(estate: AzureEstate) -> Seen:
    own = [{"fqdn": "bank.example", "ipAddresses": ["10.250.0.200"]}]
    endpoint_id = await estate.request_endpoint("own-dns", customDnsConfigs=own)
    assert "bank.example" not in await estate.interface_names(endpoint_id), "a caller's name is on the interface"
    shown = [each["fqdn"] for each in (await estate.endpoint(endpoint_id)).get("customDnsConfigs") or []]
    return Seen("kept" if "bank.example" in shown else "replaced by its own", str(shown))


@observes(
    "what the answer to the asking for an endpoint shows", section="2.6", believed="201, Updating", version=NETWORK
)
async def state_at_the_write(estate: AzureEstate) -> Seen:
    asked = await estate.make(estate.place.endpoint("write"), estate.endpoint_body())
    properties = asked.body["properties"]
    assert asked.status in (200, 201), asked.status
    followed = [name for name in ("Azure-AsyncOperation", "Location", "Retry-After") if name in asked.headers]
    detail = f"headers: {', '.join(followed)}; customDnsConfigs: {properties.get('customDnsConfigs')}"
    return Seen(f"{asked.status}, {properties['provisioningState']}", detail)


@observes(
    "whether the names on a private link service reach its endpoints",
    section="2.3",
    believed="shown",
    version=NETWORK,
    switch="plsFqdns",
    ways={"shown": True, "not shown": False},
)
async def names_of_a_service(estate: AzureEstate) -> Seen:
    place = estate.place
    balancer = place.resource("Microsoft.Network/loadBalancers", f"hw{place.run}-lb")
    front = {"name": "front", "properties": {"subnet": {"id": place.subnet("services")}}}
    body = {
        "location": place.location,
        "sku": {"name": "Standard"},
        "properties": {"frontendIPConfigurations": [front]},
    }
    await estate.make(balancer, body)
    service = place.resource("Microsoft.Network/privateLinkServices", f"hw{place.run}-pls")
    everybody_here = {"subscriptions": [place.subscription]}
    offered = {
        "fqdns": ["own.contoso.example"],
        "visibility": everybody_here,
        "autoApproval": everybody_here,
        "loadBalancerFrontendIpConfigurations": [{"id": f"{balancer}/frontendIPConfigurations/front"}],
        "ipConfigurations": [
            {"name": "nat", "properties": {"subnet": {"id": place.subnet("services")}, "primary": True}},
        ],
    }
    await estate.make(service, {"location": place.location, "properties": offered})
    endpoint_id = await estate.request_endpoint("service", target=service)
    shown = [each["fqdn"] for each in (await estate.endpoint(endpoint_id)).get("customDnsConfigs") or []]
    held = await estate.interface_names(endpoint_id)
    detail = f"customDnsConfigs: {shown}; on the interface: {held}"
    return Seen(
        "shown" if {*shown, *held} == {"own.contoso.example"} else "not shown" if not shown + held else "others", detail
    )
