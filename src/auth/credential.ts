/**
 * What a login rests on. When that is taken away, the sessions that came by it end, and no others:
 * a new password leaves those of keys and app passwords alone.
 */
export type Credential =
  | { readonly kind: "password"; readonly passwordVersion: number }
  /** A TLS client's key. */
  | { readonly kind: "key"; readonly fingerprint: string }
  | { readonly kind: "appPassword"; readonly id: number }
  /** A token of the OpenID issuer: valid when it was shown. */
  | { readonly kind: "token" };
