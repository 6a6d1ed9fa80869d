/** The ways to authenticate that `MIMIR_AUTH_METHODS` can name. */
export const AUTH_METHODS = ['password', 'api-key', 'oauth', 'jwt'] as const

export type AuthMethod = (typeof AUTH_METHODS)[number]
