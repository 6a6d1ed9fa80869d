import { defineCommand } from '../../control/define-command.ts'
import { ListReports, ReportId } from './schema.ts'
import { getReports, resolveReport } from './service.ts'

const listReportsCommand = defineCommand({
  name: 'report.list',
  input: ListReports,
  run: getReports,
})

const resolveReportCommand = defineCommand({
  name: 'report.resolve',
  input: ReportId,
  run: resolveReport,
})

export const commands = [listReportsCommand, resolveReportCommand]
