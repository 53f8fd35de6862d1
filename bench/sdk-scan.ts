import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';

/**
 * What the SDK and JSON.parse alone take: a process that reads all pages from the URL that it is sent, over and over, so
 * that its code is as warm as a server's.
 */
export interface SdkScan {
  readonly ms: number;
  readonly pages: number;
  readonly events: number;
}

async function scan(endpoint: string): Promise<SdkScan> {
  const client = new CloudWatchLogsClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIABENCH', secretAccessKey: 'made-up' },
  });
  const start = performance.now();
  let pages = 0;
  let events = 0;
  for await (const page of paginateFilterLogEvents({ client }, { logGroupName: 'CloudTrail/GlobalServiceEvents' })) {
    pages += 1;
    for (const event of page.events ?? []) {
      JSON.parse(event.message ?? '');
      events += 1;
    }
  }
  const ms = performance.now() - start;
  client.destroy();
  return { ms, pages, events };
}

process.on('message', (endpoint: string) => {
  void scan(endpoint).then((result) => process.send?.(result));
});
