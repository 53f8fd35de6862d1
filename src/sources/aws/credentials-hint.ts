/** From where a connection takes its profile. */
export interface ProfileOrigin {
  readonly profile: string;
  /** `connections.audit.profile`, `AWS_PROFILE` */
  readonly setting: string;
}

/** What to do about credentials that cannot be found. `said`: by the AWS SDK. */
export function credentialsHint(connection: string, origin: ProfileOrigin | undefined, said: string): string {
  const option = origin === undefined ? '' : ` --profile ${origin.profile}`;
  if (/\bSSO\b|Token is expired/.test(said)) return `Run \`aws sso login${option}\`, and the statement again.`;
  if (origin === undefined)
    return `Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or connections.${connection}.profile in the configuration; \`aws sts get-caller-identity\` tells whether they work.`;
  return `Correct ${origin.setting}${origin.setting === 'AWS_PROFILE' ? '' : ' (without it, AWS_PROFILE counts)'}, or profile ${origin.profile} in the files of the AWS CLI (~/.aws/config, ~/.aws/credentials); \`aws sts get-caller-identity${option}\` tells whether it works.`;
}
