/** What other features may do with webhooks inside their own transactions. */
export { countFailing, deleteWebhooksOf, isWebhookKeyUsed } from './store.ts'
