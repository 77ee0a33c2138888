"""What fraud, churn, retry and recovery share: sources, entities and feature views of payments.

Nothing is scored here, so there is no `USE_CASE`. Money is integer cents of the reporting currency (EUR),
as the payment platform converted it when it authorised: amounts of all merchants add up.

A guest has no account. The payment platform names them by their payment instrument (`guest:…`), so that
`customer_id` is never null, a returning guest has a past, and one seen for the first time has none.
"""
