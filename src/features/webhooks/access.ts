/** What other features may do with webhooks inside their own transactions. */
export { countFailing, deleteWebhooksOf, isWebhookSealedWith } from './store.ts'
