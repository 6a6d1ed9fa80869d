/** What other slices may ask and do about webhooks, inside their own transactions. */
export { deleteWebhooksOf, isWebhookSealedWith } from './store.ts'
