"""The authorizer of a storage-first API: says who a caller is by a bearer token."""
