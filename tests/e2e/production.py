"""Settings of a server as it runs in production, without --dev: vendors by their addresses, tokens
from the environment. The vendors are those of a vendor-sandbox."""

import json

TOKENS = {name: "sandbox-token" for name in (
    "NOTION_TOKEN", "MEMORY_GATEWAY_TOKEN", "OPENAI_API_KEY", "FIGMA_ACCESS_TOKEN", "GITHUB_TOKEN",
    "SLACK_BOT_TOKEN", "SENDGRID_API_KEY", "BUFFER_ACCESS_TOKEN", "GRAFANA_TOKEN")}

# Changes of "vendors" that take their rate limits away.
UNLIMITED = {vendor: {"limits": ""}
             for vendor in ("notion", "figma", "github", "slack", "sendgrid", "buffer")}


def settings(sandbox_url, changes=None):
    """The text of a settings file. `changes` is laid over it key by key; None takes a key away."""
    base = {
        "outbound": {"private_networks": True},
        "vendors": {
            "notion": {"base_url": f"{sandbox_url}/notion"},
            "memory": {"base_url": f"{sandbox_url}/memory"},
            "openai": {"base_url": f"{sandbox_url}/openai/v1"},
            "figma": {"base_url": f"{sandbox_url}/figma"},
            "github": {"base_url": f"{sandbox_url}/github", "owner": "acme", "repository": "site",
                       "pages_branch": "main"},
            "slack": {"base_url": f"{sandbox_url}/slack/api"},
            "sendgrid": {"base_url": f"{sandbox_url}/sendgrid"},
            "buffer": {"base_url": f"{sandbox_url}/buffer"},
            "grafana": {"base_url": f"{sandbox_url}/grafana"}},
        "campaign": {
            "figma": {"file_key": "BrandKit"},
            "review": {"slack_channel": "C0REVIEW"},
            "email": {"from_address": "news@example.com", "recipients": ["a@example.com"]},
            "social": {"channels": ["channel-linkedin linkedin"]}}}
    return json.dumps(_laid_over(base, changes or {}), indent=2)


def _laid_over(base, changes):
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _laid_over(merged[key], value)
        else:
            merged[key] = value
    return merged
