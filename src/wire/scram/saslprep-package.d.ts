/** The package has no types of its own. */
declare module 'saslprep' {
  export default function saslprep(input: string, options?: { allowUnassigned?: boolean }): string;
}
