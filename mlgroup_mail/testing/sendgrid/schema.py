"""The official schema of `POST /v3/mail/send`, from the OpenAPI files of Twilio (MIT, in `openapi/`, unchanged)."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from mlgroup_mail.testing.sendgrid.answers import Flaw

MOST_FLAWS = 20
"""So that a thousand wrong recipients give a readable answer."""
_REQUEST = "/components/requestBodies/PostMailSend/content/application~1json/schema"


def official(name: str) -> dict[str, Any]:
    """One of the files: `mail`, `suppressions`, `webhooks` or `scheduled_sends`."""
    source = files("mlgroup_mail.testing.sendgrid") / "openapi" / f"tsg_{name}_v3.json"
    document: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return document


def schema_flaws(document: object) -> Iterator[Flaw]:
    """Where a request departs from the schema, the first twenty places."""
    for number, error in enumerate(_validator().iter_errors(document), start=1):
        yield Flaw(message=error.message, field=".".join(map(str, error.absolute_path)) or None)
        if number == MOST_FLAWS:
            return


def validator(document: dict[str, Any], pointer: str) -> Any:
    """What validates against one schema of an OpenAPI document, which a JSON pointer (RFC 6901) names."""
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    registry = Registry().with_resource("urn:official", DRAFT202012.create_resource(document))
    return Draft202012Validator({"$ref": f"urn:official#{pointer}"}, registry=registry)


@cache
def _validator() -> Any:
    mail = official("mail")
    request = mail["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]
    # The file calls this a string; the service takes an object, as for one personalization.
    request["properties"]["custom_args"] = request["properties"]["personalizations"]["items"]["properties"][
        "custom_args"
    ]
    _close(request)
    _close(mail["components"]["schemas"])
    return validator(mail, _REQUEST)


def _close(schema: Any) -> None:
    """Objects whose keys are listed take no others: the service says "Additional property ... is not allowed"."""
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and "properties" in schema:
        schema["additionalProperties"] = False
    for each in schema.values():
        _close(each)
