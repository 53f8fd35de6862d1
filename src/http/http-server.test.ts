import { expect, it } from 'vitest';
import { createHttpServer } from './http-server.ts';
import { createPrometheusMetrics } from './prometheus-metrics.ts';

function server(notReady?: string) {
  const metrics = createPrometheusMetrics();
  metrics.statement('ok');
  metrics.call('abuseipdb', 'throttled');
  metrics.hydration('abuseipdb_check_ip', 'ok', 0.3, 7, 900);
  metrics.measure({ connections: () => 2, quotaRemaining: () => [['abuseipdb', 993]] });
  return createHttpServer({
    notReady: async () => notReady,
    metrics: () => metrics.text(),
    user: 'trailhound',
    password: 'secret',
  });
}

it('is healthy while it is not ready, and says why it is not', async () => {
  const starting = server('the engine is starting');
  expect((await starting.inject('/healthz')).statusCode).toBe(200);
  const answer = await starting.inject('/readyz');
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({ status: 'not ready', reason: 'the engine is starting' });
  expect((await server().inject('/readyz')).statusCode).toBe(200);
});

it('serves counters, gauges and the histogram in the text format of Prometheus', async () => {
  const answer = await server().inject('/metrics');
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.body.split('\n')).toEqual(
    expect.arrayContaining([
      'trailhound_statements_total{outcome="ok"} 1',
      'trailhound_source_calls_total{source="abuseipdb",status="throttled"} 1',
      'trailhound_rows_total{table="abuseipdb_check_ip"} 7',
      'trailhound_hydration_seconds_bucket{le="0.5",table="abuseipdb_check_ip"} 1',
      'trailhound_hydration_seconds_bucket{le="0.1",table="abuseipdb_check_ip"} 0',
      'trailhound_connections 2',
      'trailhound_quota_remaining{source="abuseipdb"} 993',
    ]),
  );
});

it('gives metrics beyond loopback only to who has the password', async () => {
  const remote = async (credentials?: string) => {
    const authorization = credentials === undefined ? {} : { authorization: `Basic ${btoa(credentials)}` };
    return (await server().inject({ url: '/metrics', remoteAddress: '203.0.113.7', headers: authorization }))
      .statusCode;
  };
  expect(await remote()).toBe(401);
  expect(await remote('trailhound:wrong')).toBe(401);
  expect(await remote('trailhound:secret')).toBe(200);
});
