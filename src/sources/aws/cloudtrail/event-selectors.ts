type Json = Readonly<Record<string, unknown>>;

/** What a trail records, read from either kind of its selectors. */
export interface Recorded {
  /** Management events, all or some. */
  readonly managementEvents: boolean;
  /** Reads or writes of objects in S3, in all buckets or some. */
  readonly s3DataEvents: boolean;
  /** As the service gave them. */
  readonly selectors: readonly unknown[];
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html: a trail has one kind of selectors. */
export function recordedBy(answer: Json): Recorded {
  const basic = objects(answer['EventSelectors']);
  const advanced = objects(answer['AdvancedEventSelectors']);
  return {
    managementEvents:
      basic.some(({ IncludeManagementEvents }) => IncludeManagementEvents !== false) ||
      advanced.some((selector) => fieldEquals(selector, 'eventCategory', 'Management')),
    s3DataEvents:
      basic.some(({ DataResources }) => objects(DataResources).some(({ Type }) => Type === 'AWS::S3::Object')) ||
      advanced.some(
        (selector) =>
          fieldEquals(selector, 'eventCategory', 'Data') && fieldEquals(selector, 'resources.type', 'AWS::S3::Object'),
      ),
    selectors: advanced.length > 0 ? advanced : basic,
  };
}

function fieldEquals({ FieldSelectors }: Json, field: string, value: string): boolean {
  return objects(FieldSelectors).some(
    ({ Field, Equals }) => Field === field && Array.isArray(Equals) && Equals.includes(value),
  );
}

function objects(value: unknown): readonly Json[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is Json => typeof one === 'object' && one !== null);
}
