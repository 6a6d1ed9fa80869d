import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line } from '../../platform/text.ts'
import { getSubjects, linkSubject, unlinkSubject } from './service.ts'

const Subject = z.object({ subject: line(1, 255), issuer: z.url().optional() })

const linkSubjectCommand = defineCommand({
  name: 'subject.link',
  input: Subject.extend({ user: line(1, 254), service: z.boolean().optional() }),
  run: linkSubject,
})

const unlinkSubjectCommand = defineCommand({
  name: 'subject.unlink',
  input: Subject,
  run: unlinkSubject,
})

const listSubjectsCommand = defineCommand({
  name: 'subject.list',
  input: z.object({}),
  run: getSubjects,
})

export const commands = [linkSubjectCommand, unlinkSubjectCommand, listSubjectsCommand]
