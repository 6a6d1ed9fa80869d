export { deleteReactions, listReactions } from './store.ts'
