/** The command of a process that serves beside others: nobody's to type. */
export const serveBeside = 'serve-beside';
