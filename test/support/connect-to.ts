import { afterEach } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { AwsConnectionConfig } from '../../src/sources/aws/connection-config.ts';
import { type AwsConnection, createAwsConnection } from '../../src/sources/aws/connection.ts';

/** Nobody who reads a message or a log may see it. */
export const SECRET = 'secret-of-audit';

/** Connects to the simulator of a test as its account's auditor; what is connected ends with the test. */
export function connectTo(simulator: () => Simulator): (config?: Partial<AwsConnectionConfig>) => AwsConnection {
  const opened: AwsConnection[] = [];
  afterEach(() => {
    for (const connection of opened.splice(0)) connection.close();
  });
  return (config = {}) => {
    const connection = createAwsConnection({
      name: 'aws',
      endpointUrl: simulator().url,
      credentials: { accessKeyId: 'AKIAAUDIT', secretAccessKey: SECRET },
      region: 'us-east-1',
      ...config,
    });
    opened.push(connection);
    return connection;
  };
}
