/** AWS's own example account id. */
export const ACCOUNT_ID = '111122223333';

/** Regions that an account has without asking. */
export const REGIONS = [
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
] as const;

/** Where nobody of this account ever works. */
export const UNUSED_REGION = 'ap-southeast-2';

/** AWS's documentation's example keys. The first one leaked. */
export const LEAKED_KEY = 'AKIAIOSFODNN7EXAMPLE';
export const CREATED_KEY = 'AKIAI44QH8DHBEXAMPLE';

export type Identity = Readonly<Record<string, unknown>>;

export function user(userName: string, accessKeyId?: string): Identity {
  return {
    type: 'IAMUser',
    principalId: `AIDAEXAMPLE${userName.replaceAll('-', '').toUpperCase()}`,
    arn: `arn:aws:iam::${ACCOUNT_ID}:user/${userName}`,
    accountId: ACCOUNT_ID,
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
    userName,
  };
}

/** A person in the console, or with a session token. */
export function userSession(userName: string, since: Date, mfa: boolean): Identity {
  return {
    ...user(userName, `ASIAEXAMPLE${userName.replaceAll('-', '').toUpperCase()}`),
    sessionContext: { attributes: { creationDate: isoSeconds(since), mfaAuthenticated: String(mfa) } },
  };
}

export function role(roleName: string, session: string, since: Date): Identity {
  const principalId = `AROAEXAMPLE${roleName.replaceAll('-', '').toUpperCase()}`;
  return {
    type: 'AssumedRole',
    principalId: `${principalId}:${session}`,
    arn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${roleName}/${session}`,
    accountId: ACCOUNT_ID,
    accessKeyId: `ASIAEXAMPLE${roleName.replaceAll('-', '').toUpperCase()}`,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId,
        arn: `arn:aws:iam::${ACCOUNT_ID}:role/${roleName}`,
        accountId: ACCOUNT_ID,
        userName: roleName,
      },
      attributes: { creationDate: isoSeconds(since), mfaAuthenticated: 'false' },
    },
  };
}

/** An AWS service on its own behalf. */
export function service(invokedBy: string): Identity {
  return { type: 'AWSService', invokedBy };
}

/** As CloudTrail writes times. */
export function isoSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
