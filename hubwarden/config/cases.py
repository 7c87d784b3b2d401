"""What a file of cases for a policy may say: facts by the names that rules use, and what is expected of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictStr, field_validator

from hubwarden.config.reading import read_as
from hubwarden.config.values import Duration, Many, Part, Resource, ResourceType, SubscriptionId, said_twice
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.facts import Facts
from hubwarden.model.resource_id import fold

Tags = Mapping[StrictStr, StrictStr]
Place = Annotated[str, AfterValidator(lambda text: fold(text).replace(" ", ""))]
"""A location as rules name it: Azure itself writes "West Europe" now and then."""


class ConsumerFacts(Part):
    """What is known of the consumer; what is left out is not known."""

    subscription: SubscriptionId | None = None
    management_groups: Many[str] | None = None
    in_estate: bool | None = None
    tenancy: Literal["ours", "foreign", "microsoft", "unknown"] | None = None
    managed_by: Many[Resource] | None = None
    resource_group: str | None = None
    name: str | None = None
    location: Place | None = None
    tags: Tags | None = None


class TargetFacts(Part):
    """What is known of the target; what is left out is not known."""

    type: ResourceType
    subscription: SubscriptionId
    management_groups: Many[str] | None = None
    resource_group: str | None = None
    name: str | None = None
    location: Place | None = None
    tags: Tags | None = None


class CaseFacts(Part):
    """What is known of a connection that asks; what is left out is not known."""

    consumer: ConsumerFacts = Field(default_factory=ConsumerFacts)
    target: TargetFacts
    groups: Many[str] | None = None
    message: str | None = None
    age: Duration | None = None

    def facts(self) -> Facts:
        """The facts, as the rooms know them; who is in the estate is in our tenant, unless it is said otherwise."""
        consumer, target = self.consumer, self.target
        ours = Tenancy.OURS if consumer.in_estate else Tenancy.UNKNOWN
        return Facts(
            consumer=consumer.subscription,
            consumer_management_groups=consumer.management_groups,
            in_estate=consumer.in_estate,
            tenancy=Tenancy(consumer.tenancy) if consumer.tenancy else ours,
            managers=consumer.managed_by,
            consumer_resource_group=consumer.resource_group,
            consumer_name=consumer.name,
            consumer_location=consumer.location,
            consumer_tags=consumer.tags,
            target_type=target.type,
            target_subscription=target.subscription,
            target_management_groups=target.management_groups,
            target_resource_group=target.resource_group,
            target_name=target.name,
            target_location=target.location,
            target_tags=target.tags,
            groups=self.groups,
            message=self.message,
            age=self.age,
        )


class ExpectPart(Part):
    """What the policy should say; a rule that is left out may be any."""

    verdict: Literal["approve", "reject", "hold"]
    rule: str | None = None

    @property
    def decided(self) -> Verdict:
        """The verdict, as the rooms know it."""
        return Verdict(self.verdict)


class CasePart(Part):
    """One case."""

    name: str
    facts: CaseFacts
    expect: ExpectPart


class Cases(Part):
    """The whole of a file of cases."""

    policy: str = Field("hubwarden.yaml", description="The file with the policy, beside this one.")
    cases: Many[CasePart] = Field(min_length=1)

    @field_validator("cases")
    @classmethod
    def _cases_differ(cls, cases: tuple[CasePart, ...]) -> tuple[CasePart, ...]:
        if twice := said_twice(case.name for case in cases):
            raise ValueError(f"two cases are called {', '.join(twice)}; every case has a name of its own")
        return cases


def read_cases(text: str, source: str) -> Cases:
    """A file of cases. Raises ConfigError with every fault: its line, its key, and what is allowed."""
    return read_as(Cases, text, source, "the file is a mapping; it has 'cases:'")[0]
