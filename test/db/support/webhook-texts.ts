/** Statements about webhooks, as somebody with a database prompt would type them. */

export const ENDPOINT = `insert into webhook_endpoints (id, merchant_id, url, livemode, enabled,
  api_version, created_at, updated_at)
  values (gen_random_uuid(), 'demo', 'https://shop.example.com/', false, true, 'v1', now(), now())`

/** An attempt so long ago that no month was made for it. */
export const ATTEMPT = `insert into webhook_attempts (delivery_id, n, started_at, duration_ms,
  status) values (gen_random_uuid(), 1, '2020-01-01', 1, 200)`
