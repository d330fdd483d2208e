"""Rows of the REST table about callers, API keys and users. The server of the table has no
credential and stays so: the first key would shut it (auth_test.py makes keys)."""

LONG = "x" * 5000


def rows(Case):
    """The rows, in the order in which they must run; `Case` is the table's."""
    return [
        Case("caller: who am I", "GET", "/v1/caller",
             equals={"credential": "none", "role": "admin", "namespace": "*"}),
        Case("keys: none", "GET", "/v1/api-keys", has=("api_keys",), equals={"api_keys": []}),
        Case("keys: all fields wrong", "POST", "/v1/api-keys",
             {"name": "", "role": "root", "expires_at": "2001-01-01T00:00:00Z"}, 400,
             ("name", "role", "expires_at")),
        Case("keys: over-long name", "POST", "/v1/api-keys", {"name": LONG, "role": "viewer"}, 400,
             ("name",)),
        Case("keys: wrong namespace", "POST", "/v1/api-keys",
             {"name": "ci", "role": "viewer", "namespace": "a b"}, 400, ("namespace",)),
        Case("keys: the first is no admin's", "POST", "/v1/api-keys",
             {"name": "ci", "role": "viewer"}, 409),
        Case("keys: the first is an admin's of one namespace", "POST", "/v1/api-keys",
             {"name": "ci", "role": "admin", "namespace": "marketing"}, 409),
        Case("keys: wrong page size", "GET", "/v1/api-keys?page_size=1001", None, 400,
             ("page_size",)),
        Case("keys: wrong page token", "GET", "/v1/api-keys?page_token=x", None, 400,
             ("page_token",)),
        Case("keys: revoke unknown", "POST", "/v1/api-keys/ck_00000000/revoke", {}, 404),
        Case("users: set", "PUT", "/v1/users/Ann%40Example.com",
             {"role": "editor", "namespace": "marketing"},
             equals={"email": "ann@example.com", "role": "editor", "namespace": "marketing"},
             has=("updated_at",)),
        Case("users: set another", "PUT", "/v1/users/bob%40example.com", {"role": "none"},
             equals={"role": "none", "namespace": "default"}),
        Case("users: no address, no role", "PUT", "/v1/users/ann", {"role": "king"}, 400,
             ("email", "role")),
        Case("users: two addresses", "PUT", "/v1/users/ann%40example.com",
             {"email": "bob@example.com", "role": "viewer"}, 400),
        Case("users: list", "GET", "/v1/users?page_size=1",
             has=("users",), equals={"next_page_token": "ann@example.com"}),
        Case("users: next page", "GET", "/v1/users?page_token=ann%40example.com", has=("users",)),
        Case("users: delete", "DELETE", "/v1/users/ann%40example.com"),
        Case("users: delete again", "DELETE", "/v1/users/ann%40example.com", None, 404),
        Case("namespace: wrong header", "GET", "/v1/workflows", None, 400, ("namespace",),
             headers={"X-Namespace": "a b"}),
        Case("host: another name", "GET", "/v1/workflows", None, 403,
             headers={"Host": "evil.example.com"}),
        Case("origin: another", "POST", "/v1/kill-switch", {"on": True, "reason": "x"}, 403,
             headers={"Origin": "https://evil.example.com"}),
    ]
