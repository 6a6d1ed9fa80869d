/** The browser that was sent to a provider: only it can complete that sign-in. */
export const BROWSER_COOKIE = 'mimir_tx'
/** The sign-in that waits for its second step. */
export const STEP_COOKIE = 'mimir_step'
