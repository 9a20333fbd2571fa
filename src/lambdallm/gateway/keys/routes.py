"""The paths of the keys over REST, for administrators; `endpoints` has the functions.

POST   /keys                  a new key; the answer alone has it
GET    /keys?user=&after=&limit=     keys, `limit` users a page
GET    /keys/audit?month=&user=&key_id=&before=&limit=
GET    /keys/{id}
PATCH  /keys/{id}
GET    /keys/{id}/audit?month=&before=&limit=
POST   /keys/{id}/rotate      a new secret; {"overlap_seconds": 3600}
POST   /keys/{id}/revoke
DELETE /keys/{id}             the same
"""

from __future__ import annotations

from ..routes import Route

_HERE = "keys.endpoints"

KEY_ROUTES: tuple[Route, ...] = (
    Route("POST", "/keys", f"{_HERE}:create"),
    Route("GET", "/keys", f"{_HERE}:listed"),
    Route("GET", "/keys/audit", f"{_HERE}:audit"),
    Route("GET", "/keys/{id}", f"{_HERE}:shown"),
    Route("PATCH", "/keys/{id}", f"{_HERE}:update"),
    Route("DELETE", "/keys/{id}", f"{_HERE}:revoke"),
    Route("GET", "/keys/{id}/audit", f"{_HERE}:audit"),
    Route("POST", "/keys/{id}/rotate", f"{_HERE}:rotate"),
    Route("POST", "/keys/{id}/revoke", f"{_HERE}:revoke"),
)
