"""Runs the SDK for Python, which needs Python 3.12: calls on stdin, answers on stdout, as JSON.

First comes a line of credentials by client name, and goes one with all public calls and all
news. Then each line names a call, what is given, and by which client; its answer is as the SDK's
own models have read it. What the stream tells is written as it comes.
"""

import asyncio
import inspect
import json
import os
import sys
from contextlib import redirect_stdout
from typing import TypeAliasType, get_args, get_type_hints

from lnmarkets_sdk.rest.v3.http.client import APIAuthContext, APIClientConfig, LNMClient
from lnmarkets_sdk.stream.v1 import StreamClient, StreamClientConfig
from lnmarkets_sdk.stream.v1 import models as stream_models
from lnmarkets_sdk.stream.v1.models.common import ExplicitTopic, OhlcTopic
from pydantic import BaseModel, TypeAdapter, ValidationError

HOST = os.environ["SDK_HOST"]
RECONNECT_SECONDS = 0.1
FUTURES = "futures/inverse/btc_usd"
MODELS = {
    "announcements": stream_models.AnnouncementEvent,
    "wallet/deposit": stream_models.WalletDepositData,
    "wallet/withdrawal": stream_models.WalletWithdrawData,
    f"{FUTURES}/ticker": stream_models.FuturesTickerData,
    f"{FUTURES}/lastPrice": stream_models.FuturesLastPriceData,
    f"{FUTURES}/index": stream_models.FuturesIndexData,
    f"{FUTURES}/buckets": stream_models.FuturesBucketData,
    f"{FUTURES}/funding": stream_models.FuturesFundingData,
    f"{FUTURES}/isolated/trades": stream_models.IsolatedTradesEvent,
    f"{FUTURES}/cross/orders": stream_models.CrossOrderEvent,
    f"{FUTURES}/cross/position": stream_models.CrossPositionData,
} | dict.fromkeys(get_args(OhlcTopic.__value__), stream_models.OhlcData)
LIFECYCLE = ("open", "close", "error", "reconnected")


class Calls:
    """The clients, and what may be asked of them."""

    def __init__(self, out, credentials):
        self._out = out
        self.rest = {name: LNMClient(_config(given)) for name, given in credentials.items()}
        self.stream = StreamClient(
            StreamClientConfig(hostname=HOST, reconnect_interval=RECONNECT_SECONDS)
        )
        for name in LIFECYCLE:
            self.stream.on(name, self._listener(name))

    def surface(self):
        """Every public method, and every topic with its events."""
        topics = (*get_args(ExplicitTopic.__value__), *get_args(OhlcTopic.__value__))
        return {
            "calls": [*methods_of(self.rest["trader"]), *methods_of(self.stream, "stream.")],
            "news": [[topic, event] for topic in topics for event in events_of(MODELS[topic])],
        }

    async def answer(self, request):
        """The answer, or how it was refused."""
        try:
            method = self._method(request["call"], request["by"])
            result = method(*self._arguments(method, request["given"]))
            answer = await result if inspect.isawaitable(result) else result
        except Exception as error:  # noqa: BLE001 whatever it raises is what it answers
            return {"refused": refusal(error)}
        return {"answer": plain(answer)}

    def write(self, line):
        """One line of JSON."""
        print(json.dumps(line), file=self._out, flush=True)

    def _method(self, call, client):
        owner = self.rest[client]
        path = call.split(".")
        if path[0] == "stream":
            owner, path = self.stream, path[1:]
        for name in path:
            owner = getattr(owner, name)
        return owner

    def _arguments(self, method, given):
        parameters = inspect.signature(method).parameters
        if given is None:
            return []
        if list(parameters) == ["params"]:
            return [TypeAdapter(get_type_hints(method)["params"]).validate_python(given)]
        if "listener" in parameters:
            given = given | {"listener": self._listener(given["event"])}
        return inspect.signature(method).bind(**given).args

    def _listener(self, topic):
        def hear(*data):
            news = {"topic": topic, "data": plain(data[0]) if data else None}
            if topic in MODELS:
                try:
                    TypeAdapter(MODELS[topic]).validate_python(news["data"])
                except ValidationError as error:
                    news["invalid"] = str(error)
            self.write({"news": news})

        return hear


def methods_of(owner, prefix=""):
    """The public methods of a client and of the clients in it, by their dotted names."""
    for name in dir(owner):
        value = None if name.startswith("_") else getattr(owner, name)
        if inspect.ismethod(value):
            yield f"{prefix}{name}"
        elif type(value).__module__.startswith("lnmarkets_sdk"):
            yield from methods_of(value, f"{prefix}{name}.")


def events_of(model):
    """The events of a topic's model; one without a name when there are no several."""
    if isinstance(model, TypeAliasType):
        model = model.__value__
    for member in get_args(model) or (model,):
        field = member.model_fields.get("event")
        yield from get_args(field.annotation) if field else (None,)


def refusal(error):
    """The class of an error, and what it says."""
    told = getattr(error, "error", None)
    data = getattr(error, "data", None) or {}
    return {
        "name": type(error).__name__,
        "status": getattr(error, "status_code", None),
        "code": told.code if told else data.get("code"),
        "message": str(error),
    }


def plain(value):
    """An answer as JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Exception) else value


def _config(credentials):
    signed = APIAuthContext(**credentials) if credentials else None
    return APIClientConfig(hostname=HOST, authentication=signed)


async def main(out):
    """Answer until there are no more questions."""
    loop = asyncio.get_running_loop()
    calls = Calls(out, json.loads(sys.stdin.readline()))
    for client in calls.rest.values():
        await client.__aenter__()
    calls.write({"surface": calls.surface()})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        calls.write(await calls.answer(json.loads(line)))
    for client in calls.rest.values():
        await client.__aexit__()


if __name__ == "__main__":
    stdout = sys.stdout
    with redirect_stdout(sys.stderr):  # the SDK prints
        asyncio.run(main(stdout))
