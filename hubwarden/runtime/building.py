"""The clients and rooms, built from the settings; nothing of Azure is imported until the first run needs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from hubwarden.announce import Announcer
    from hubwarden.catalog import Catalogue
    from hubwarden.config.environment import Environment, Storage
    from hubwarden.config.loading import Config
    from hubwarden.dns.plan import Rules
    from hubwarden.ledger.storage import StorageAccount
    from hubwarden.reconcile.rooms import Rooms


def credential_of(environment: Environment, client_id: str, cloud: str) -> AsyncTokenCredential:
    """The app's managed identity where there is one; else whatever the person at the shell is signed in with there."""
    from azure.identity import AzureAuthorityHosts
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

    if environment.has_managed_identity:
        return ManagedIdentityCredential(client_id=client_id or None)
    elsewhere = {"usgov": AzureAuthorityHosts.AZURE_GOVERNMENT, "china": AzureAuthorityHosts.AZURE_CHINA}
    return DefaultAzureCredential(authority=elsewhere.get(cloud))


def account_of(storage: Storage, credential: AsyncTokenCredential | None) -> StorageAccount:
    """The storage account of the ledger and the queues."""
    from hubwarden.ledger.storage import StorageAccount

    return StorageAccount(
        connection_string=storage.connection_string,
        table_uri=storage.table_uri,
        queue_uri=storage.queue_uri,
        credential=credential,
    )


def rooms_of(
    config: Config,
    credential: AsyncTokenCredential,
    account: StorageAccount,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> Rooms:
    """Every room, each with what it needs of the settings."""
    from hubwarden.arm.estate import Estate
    from hubwarden.arm.session import ArmSession
    from hubwarden.catalog import catalogue
    from hubwarden.dns.limits import Limits
    from hubwarden.ledger.claims import Claims
    from hubwarden.ledger.decisions import Decisions
    from hubwarden.ledger.findings import Findings
    from hubwarden.ledger.outbox import Outbox
    from hubwarden.ledger.runs import Runs
    from hubwarden.ledger.sights import Sights
    from hubwarden.ledger.tally import Tally
    from hubwarden.ledger.work_queue import WorkQueue
    from hubwarden.reconcile.rooms import Rooms

    services = catalogue(config.cloud, config.rows)
    arm = ArmSession(credential, cloud=config.cloud, endpoint=config.environment.arm_endpoint, sleep=sleep)
    return Rooms(
        arm=arm,
        estate=Estate(
            arm,
            hubs=config.hubs,
            subscriptions=config.subscriptions,
            management_groups=config.management_groups,
            excluded=config.excluded,
            now=now,
        ),
        account=account,
        claims=Claims(account),
        work=WorkQueue(account),
        runs=Runs(account),
        tally=Tally(account),
        catalogue=services,
        rules=_rules(config, services),
        limits=Limits(config.most_withdrawals, config.most_in_zone, config.most_share),
        policy=config.policy,
        approve_limit=config.approve_limit,
        reject_limit=config.reject_limit,
        remind_after=config.remind_after,
        sights=Sights(account),
        decisions=Decisions(account),
        findings=Findings(account),
        outbox=Outbox(account),
        announcer=_announcer(config, credential),
        networks=config.addresses,
        publishes_foreign_targets=config.publishes_foreign_targets,
        shared=config.shared,
        own_names=config.own_names,
        follow_ups=config.follow_ups,
        applies=config.applies,
        now=now,
        sleep=sleep,
    )


def _rules(config: Config, services: Catalogue) -> Rules:
    from hubwarden.dns.plan import Rules

    protected = frozenset(text for name in config.protected for text in (name.text, *services.records_of(name)))
    return Rules(config.instance, config.instances, config.ttl, protected, {hub.name: hub for hub in config.hubs})


def _announcer(config: Config, credential: AsyncTokenCredential) -> Announcer | None:
    if config.topic is None:
        return None
    from hubwarden.announce import Announcer

    return Announcer(config.topic, config.instance, credential)
