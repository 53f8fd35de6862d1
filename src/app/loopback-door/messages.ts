/** From the server to its door. */
export type ToDoor =
  /** A backend of this server: whoever connects for it is let in without a question. */
  | { readonly kind: 'own'; readonly pid: number; readonly is: boolean }
  | { readonly kind: 'answered'; readonly question: number; readonly mayEnter: boolean };

/** From the door to its server. */
export type FromDoor =
  | { readonly kind: 'listening'; readonly port: number }
  /** Whether a connection for this backend, undefined where it names none, may enter. */
  | { readonly kind: 'asked'; readonly question: number; readonly pid: number | undefined }
  /** With the connection itself. */
  | {
      readonly kind: 'connected';
      /** What it has sent so far, in base64. */
      readonly head: string;
    };
