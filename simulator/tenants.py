"""How ARM refuses a subscription that it does not show: by a right that is missing, or by the tenant that it is in.

A caller is at home in the tenants of the subscriptions that show themselves and in which it has a role (setting `rbac`:
else in all of them); one that has none anywhere is at home everywhere.
"""

from __future__ import annotations

from simulator import roles
from simulator.refusals import By, Refusal
from simulator.roles import Rights
from simulator.world import Subscription, World


def check(world: World, subscription: Subscription, rights: Rights, action: str, scope: str) -> None:
    """Raises Refusal for whatever is asked of a subscription that is not readable, or is of a tenant not the caller's.

    Azure, a token of another tenant is a 401 that names the subscription's, with words that people have published; or,
    unverified for managed identities and so a switch, a 404.
    """
    shown = [each for each in world.subscriptions.values() if each.readable and rights.reach(each.id)]
    homes = {each.tenant.lower() for each in shown}
    if homes and subscription.tenant.lower() not in homes:
        raise _foreign(world, subscription, min(homes))
    if not subscription.readable:
        raise roles.forbidden(rights.principal, action, scope)


def _foreign(world: World, subscription: Subscription, home: str) -> Refusal:
    if world.settings.foreign_subscriptions == "404":
        message = f"The subscription '{subscription.id}' could not be found."
        return Refusal("SubscriptionNotFound", message, by=By.GATEWAY)
    authority = f"https://login.windows.net/{subscription.tenant}"
    message = (
        f"The access token is from the wrong issuer 'https://sts.windows.net/{home}/'. It must match the tenant "
        f"'https://sts.windows.net/{subscription.tenant}/' associated with this subscription. Please use the authority "
        f"(URL) '{authority}' to get the token. Note, if the subscription is transferred to another tenant there is no "
        "impact to the services, but information about new tenant could take time to propagate (up to an hour). If you "
        "just transferred your subscription and see this error message, please try back later."
    )
    return Refusal("InvalidAuthenticationTokenTenant", message, by=By.GATEWAY, authority=authority)
