"""Spaces: whose things tasks and lists are, who may do what there, and the revision that counts its writes."""

from taskwell.spaces.access import Role, SpaceAccess

__all__ = ["Role", "SpaceAccess"]
