"""SQL for the events of the products that an import writes or an undo restores, and for ids that count within one."""

# The id that `core.ids` gives to a number of an import or of a batch.
NUMBERED_ID = "(%(prefix)s || lpad(to_hex({number}), 8, '0'))::uuid"

# One event for each row of `source`, which has the product's id, sku, name and version.
INSERT_EVENTS = """
    INSERT INTO event (id, event_type, payload, version, batch_id)
    SELECT {event_id}, {event_type}, jsonb_build_object(
        'event_type', {event_type}, 'product_id', id, 'sku', sku, 'name', name,
        'timestamp', round(extract(epoch FROM clock_timestamp()), 3)
    ), version, {batch} FROM {source}
"""
