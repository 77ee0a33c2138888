"""Retraining, promotion, rollback, kill switch, shadows: what people may set in motion."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws import registry_decisions, registry_files, registry_rollback
from countersign.aws.stores import Stores
from countersign.clock import iso, parse_iso
from countersign.declare import UseCase
from countersign.errors import ConflictError
from countersign.governance.documentation import refuse_undocumented
from countersign.governance.pointer import Deployed, refuse_unfit
from countersign.http import HttpRequest, HttpResponse
from countersign.steps.operate.body import fields, repeat_key


def retraining_log(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET …/retraining: the trigger log, newest first."""
    name = named(request).name
    rows = [
        {k: v for k, v in row.items() if k not in ("pk", "sk", "gsi_pk", "gsi_sk")}
        for row in reversed(stores.registry.triggers(name))
    ]
    return HttpResponse(200, {"use_case": name, "triggers": rows})


def propose_retraining(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST …/retraining: a proposal of one's own, or one that monitoring made, put to approval.

    Nothing trains before the approval: its machine starts training, and nothing else can.
    """
    use_case = named(request)
    asked = fields(request, {"reason": str}, {"trigger_type": str, "as_of": str, "trigger_id": str})
    caller, key = request.caller, repeat_key(request)
    trigger_id = asked.get("trigger_id") or stores.registry.propose_retraining(
        use_case.name,
        asked.get("trigger_type", "incident"),
        {},
        caller.person,
        reason=asked["reason"],
        as_of=iso(parse_iso(asked["as_of"])) if "as_of" in asked else "",
        role=caller.role,
        key=key,
    )
    trigger = stores.registry.trigger(use_case.name, trigger_id)
    if trigger["status"] != "PROPOSED":
        raise ConflictError(f"Trigger {trigger_id} is {trigger['status']} already")
    opened = registry_decisions.request_signatures(
        stores,
        kind="retraining",
        use_case=use_case.name,
        approval_class=use_case.approval_class,
        subject={"trigger_id": trigger_id},
        requester={"person": caller.person, "role": caller.role},
        facts={},
        key=trigger_id,
    )
    execution = stores.machines.start(
        "approval", opened.approval_id, registry_decisions.machine_input(opened)
    )
    return HttpResponse(
        202,
        {
            "trigger_id": trigger_id,
            "approval_id": opened.approval_id,
            "required_roles": list(opened.required_roles),
            "deadline_at": opened.deadline_at,
            "execution": execution,
        },
    )


def request_promotion(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST …/promotion: start the machine that checks, asks, soaks, rolls out and verifies."""
    use_case = named(request)
    if use_case.name not in use_cases.all_use_cases():
        raise ConflictError(f"{use_case.name} is trained only: nothing serves it")
    wanted = fields(request, {"version": str})["version"]
    version = stores.registry.version(use_case.name, wanted)
    if version.stage == "None":
        raise ConflictError(f"{wanted} is not registered whole yet")
    refuse_unfit(stores.registry.pointer(use_case.name), wanted)
    refuse_undocumented(version.record, registry_files.names(stores, version.record))
    key = repeat_key(request)
    name = f"{use_case.name}-{wanted}-{key}".replace(".", "-").replace("_", "-")[-80:]
    caller = request.caller
    execution = stores.machines.start(
        "promotion",
        name,
        {
            "use_case": use_case.name,
            "version": wanted,
            "requested_by": caller.person,
            "requester_role": caller.role,
        },
    )
    facts = {"version": wanted, "digest": version.digest, "execution": execution}
    stores.audit.append(use_case.name, "promotion-requested", caller.person, facts, once=name)
    return HttpResponse(202, {"use_case": use_case.name, **facts})


def roll_back(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST …/rollback: one call, one write, no control plane. Warm workers follow within a second or so."""
    use_case = named(request)
    asked = fields(request, {"reason": str}, {"epoch": int})
    facts = registry_rollback.roll_back(
        stores,
        use_case.name,
        actor=request.caller.person,
        reason=asked["reason"],
        change_id=f"rollback#{repeat_key(request)}",
        expected_epoch=asked.get("epoch"),
    )
    return HttpResponse(202, facts)


def kill_switch(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST …/kill-switch {on, reason}: rules only, or the models again."""
    use_case = named(request)
    asked = fields(request, {"on": bool, "reason": str})
    change_id = f"kill-switch#{repeat_key(request)}"
    pointer = stores.registry.kill_switch(
        use_case.name,
        rules_only=asked["on"],
        actor=request.caller.person,
        reason=asked["reason"],
        change_id=change_id,
    )
    action = "kill-switch-on" if asked["on"] else "kill-switch-off"
    facts = {"reason": asked["reason"], "epoch": pointer["epoch"]}
    stores.audit.append(use_case.name, action, request.caller.person, facts, once=change_id)
    return HttpResponse(200, {"use_case": use_case.name, "on": asked["on"], **facts})


def shadows(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST …/shadows {version, on}: start (or with `on: false` end) a shadow."""
    use_case = named(request)
    asked = fields(request, {"version": str}, {"on": bool})
    on, wanted = asked.get("on", True), asked["version"]
    version = stores.registry.version(use_case.name, wanted)
    change_id, actor = f"shadow#{repeat_key(request)}", request.caller.person
    if on:
        candidate = Deployed(version=wanted, digest=version.digest)
        pointer = stores.registry.start_shadow(
            use_case.name, candidate, actor=actor, change_id=change_id
        )
    else:
        pointer = stores.registry.stop_shadow(
            use_case.name, wanted, actor=actor, change_id=change_id
        )
    facts: dict[str, Any] = {"version": wanted, "epoch": pointer["epoch"]}
    action = "shadow-started" if on else "shadow-stopped"
    stores.audit.append(use_case.name, action, actor, facts, once=change_id)
    return HttpResponse(200, {"use_case": use_case.name, **facts, "shadows": pointer["shadows"]})


def named(request: HttpRequest) -> UseCase:
    """The use case of the path. Raises NotFoundError."""
    return use_cases.get(request.path_params["use_case"])
