"""Discovery and settings, lifecycle, capabilities."""

import asyncio
from importlib.metadata import entry_points

from tradeforge_core import (
    AuthenticationError,
    ConfigError,
    Disconnected,
    TradeForgeError,
    TransportError,
    load_provider,
    load_sandbox,
)
from tradeforge_testing.chaos.faults import Action
from tradeforge_testing.conformance.proving import Suite, proves
from tradeforge_testing.conformance.trial import Trial


class Discovery(Suite):
    @proves("TF-DIS-010", "TF-DIS-020", connected=False)
    async def test_settings_of_the_sandbox_configure_the_provider(self, on: Trial) -> None:
        """The entry points of the distribution, `create` of both modules, `Sandbox.settings`."""
        async with load_sandbox(self.provider, seed=1) as sandbox:
            provider = load_provider(self.provider, sandbox.settings)
            assert provider.name == self.provider
            assert on.sent == 0, "it was to be configured without a connection"

    @proves("TF-DIS-030", connected=False)
    async def test_a_missing_setting_is_named(self, on: Trial) -> None:
        """`ProviderInfo.settings` and what `create` reads of them."""
        async with load_sandbox(self.provider, seed=1) as sandbox:
            given = sandbox.settings
            needed = []
            for name in given:
                less = {**given, name: ""}
                try:
                    load_provider(self.provider, less)
                except ConfigError as error:
                    assert name in str(error), f"{error} does not name {name}"
                    needed.append(name)
        assert needed, "the provider needs no setting at all, so nobody can log in with it"

    @proves("TF-DIS-040", connected=False)
    async def test_it_says_what_it_is(self, on: Trial) -> None:
        """The entry point, and the class attribute `name`."""
        (found,) = entry_points(group="tradeforge.providers", name=self.provider)
        assert found.dist is not None
        assert found.dist.version
        assert on.broker.name == self.provider


class Lifecycle(Suite):
    @proves("TF-LIF-010", connected=False)
    async def test_connecting_twice_is_harmless(self, on: Trial) -> None:
        """`_log_in`: it must not be called when the provider is connected."""
        await on.broker.connect()
        sent = on.sent
        await on.broker.connect()
        assert on.sent == sent, "the second connect spoke to the venue"
        assert await on.broker.get_accounts()

    @proves("TF-LIF-020", connected=False)
    async def test_disconnecting_is_always_harmless(self, on: Trial) -> None:
        """`_log_out`: it must not need a session."""
        await on.broker.disconnect()
        await on.broker.connect()
        await on.follow()
        await on.broker.disconnect()
        await on.broker.disconnect()
        heard = len(on.heard)
        await asyncio.sleep(60)
        assert len(on.heard) == heard, "something was told after disconnect()"

    @proves("TF-LIF-030")
    async def test_it_can_be_connected_again(self, on: Trial) -> None:
        """What `_log_out` closes, `_log_in` has to make anew."""
        for _ in range(3):
            await on.broker.disconnect()
            await on.broker.connect()
            await on.follow()
            await on.buy()
        assert on.held == 3

    @proves("TF-LIF-040", connected=False)
    async def test_calls_without_a_connection_send_nothing(self, on: Trial) -> None:
        """Every call has to ask for the connection before it does anything."""
        await on.raises(Disconnected, on.broker.get_accounts())
        await on.raises(Disconnected, on.buy())
        assert on.sent == 0
        await on.broker.connect()
        await on.broker.disconnect()
        sent = on.sent
        calls = [on.broker.get_positions(on.account_id), on.buy()]
        if on.capabilities.user_data:
            calls.append(on.follow())
        for call in calls:
            await on.raises(Disconnected, call)
        assert on.sent == sent

    @proves("TF-LIF-050", connected=False, under=("F19",), beside=Action.CONNECT)
    async def test_a_refused_login_is_told_as_such(self, on: Trial) -> None:
        """How `_log_in` maps 401, and the venue's own words for a wrong key."""
        await on.strike(Action.CONNECT)
        await on.raises(AuthenticationError, on.broker.connect())

    @proves("TF-LIF-050", "TF-LIF-060", connected=False, under=("F01",), beside=Action.CONNECT)
    async def test_a_venue_that_is_not_there_is_a_transport_error(self, on: Trial) -> None:
        """The first request of `_log_in`, and what it leaves when it fails."""
        await on.strike(Action.CONNECT)
        await on.raises(TransportError, on.broker.connect())
        await on.heal()
        await on.broker.connect()
        assert await on.broker.get_accounts()

    @proves(
        "TF-LIF-060",
        connected=False,
        under=("F03", "F07", "F08", "F09", "F10", "F77"),
        beside=Action.CONNECT,
    )
    async def test_a_connect_that_failed_leaves_nothing(self, on: Trial) -> None:
        """`_log_in`: a `try` that closes what was opened, or an exit stack."""
        await on.strike(Action.CONNECT)
        try:
            await on.broker.connect()
        except TradeForgeError:
            await on.heal()
            await on.broker.connect()
        assert await on.broker.get_accounts()

    @proves("TF-LIF-070")
    async def test_run_forever_ends_with_disconnect(self, on: Trial) -> None:
        """It waits for `disconnect`, and for nothing that a connection does."""
        running = asyncio.create_task(on.broker.run_forever())
        on.stage.proxy.refuse()
        await asyncio.sleep(120)
        assert not running.done(), "it returned because the venue was away"
        await on.heal()
        await on.broker.disconnect()
        await asyncio.wait_for(running, 1)
