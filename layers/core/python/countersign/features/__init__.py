"""Windows, point-in-time joins, packing, quality and freshness of features."""
