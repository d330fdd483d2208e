"""Rows of the REST table about operators: kill switch, breakers, their log; and dry runs."""

LONG = "x" * 5000


def rows(Case, good):
    """The rows, in the order in which they must run; `Case` is the table's."""
    return [
        Case("kill switch: off at first", "GET", "/v1/kill-switch"),
        Case("kill switch: on without a reason", "POST", "/v1/kill-switch", {"on": True}, 400,
             ("reason",)),
        Case("kill switch: wrong types", "POST", "/v1/kill-switch", {"on": "yes", "reason": 1}, 400,
             ("on", "reason")),
        Case("kill switch: over-long reason", "POST", "/v1/kill-switch",
             {"on": True, "reason": LONG}, 400, ("reason",)),
        Case("kill switch: malformed", "POST", "/v1/kill-switch", b"{", 400),
        Case("kill switch: on", "POST", "/v1/kill-switch",
             {"on": True, "reason": "table", "identity": "ann"},
             equals={"on": True, "reason": "table", "changed_by": "ann"}, has=("changed_at",)),
        Case("kill switch: on again changes nothing", "POST", "/v1/kill-switch",
             {"on": True, "reason": "other"}, equals={"reason": "table"}),
        Case("kill switch: shown", "GET", "/v1/kill-switch", equals={"on": True}),
        Case("kill switch: off", "POST", "/v1/kill-switch", {"on": False, "reason": "done"},
             equals={"reason": "done"}),
        Case("breakers: list", "GET", "/v1/breakers", has=("breakers",)),
        Case("breakers: force open", "POST", "/v1/breakers/notion/force-open",
             {"reason": "upkeep", "identity": "bob"},
             equals={"state": "open", "forced": "open", "forced_by": "bob"}, has=("opened_at",)),
        Case("breakers: force close", "POST", "/v1/breakers/notion/force-close",
             {"reason": "false alarm"}, equals={"state": "closed", "forced": "closed"}),
        Case("breakers: reset", "POST", "/v1/breakers/notion/reset", {"reason": "done"},
             equals={"state": "closed"}),
        Case("breakers: without a reason", "POST", "/v1/breakers/notion/force-open", {}, 400,
             ("reason",)),
        Case("breakers: over-long reason", "POST", "/v1/breakers/notion/reset", {"reason": LONG},
             400, ("reason",)),
        Case("breakers: unknown", "POST", "/v1/breakers/nobody/reset", {"reason": "x"}, 404),
        Case("changes: list", "GET", "/v1/operator-changes", has=("changes",)),
        Case("changes: a page", "GET", "/v1/operator-changes?page_size=1",
             has=("changes", "next_page_token")),
        Case("changes: wrong size", "GET", "/v1/operator-changes?page_size=5000", None, 400,
             ("page_size",)),
        Case("changes: wrong token", "GET", "/v1/operator-changes?page_token=x", None, 400),
        Case("dry run", "POST", "/v1/campaigns",
             {"campaign": {**good, "dry_run": True}, "request_id": "table-dry"},
             has=("workflow_id",)),
        Case("dry run: wrong type", "POST", "/v1/campaigns",
             {"campaign": {**good, "dry_run": "perhaps"}}, 400, ("campaign.dry_run",)),
    ]
