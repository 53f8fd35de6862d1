/** Region names and patterns of them, as the configuration gives them. */

const REGION = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/;

/** True for `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`; says nothing of whether AWS has such a region. */
export function isRegionName(text: string): boolean {
  return REGION.test(text);
}

/** `*` stands for any characters, `?` for one. */
export function isRegionPattern(text: string): boolean {
  return text.includes('*') || text.includes('?');
}

export function matchesRegion(pattern: string, region: string): boolean {
  const source = pattern.replace(/[^*?]/g, (character) => character.replace(/[.+^${}()|[\]\\]/, '\\$&'));
  return new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(region);
}

/** The partition in ARNs of a region: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  if (region.startsWith('us-iso-')) return 'aws-iso';
  if (region.startsWith('us-isob-')) return 'aws-iso-b';
  if (region.startsWith('eusc-')) return 'aws-eusc';
  return 'aws';
}
