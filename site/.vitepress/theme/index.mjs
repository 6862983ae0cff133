// The fonts of the reader's machine: no others have to be fetched.
export { default } from 'vitepress/theme-without-fonts';
