import { registerEnumType } from 'type-graphql';

/** The outside systems whose keys can be kept. */
export enum Provider {
  AWS = 'AWS',
  AZURE = 'AZURE',
  AZURE_ENTRA = 'AZURE_ENTRA',
  AZURE_CLOUD = 'AZURE_CLOUD',
  GOOGLE = 'GOOGLE',
  GITHUB = 'GITHUB',
  GITHUB_APP = 'GITHUB_APP',
  GITLAB = 'GITLAB',
  BITBUCKET = 'BITBUCKET',
  GITEA = 'GITEA',
  CODECOMMIT = 'CODECOMMIT',
  AZUREREPOS = 'AZUREREPOS',
  SSH = 'SSH',
  K8S = 'K8S',
  CONTAINER_REG = 'CONTAINER_REG',
  TW_AGENT = 'TW_AGENT',
  SEQERACOMPUTE = 'SEQERACOMPUTE',
  S3 = 'S3',
}
registerEnumType(Provider, { name: 'Provider', description: 'The system whose keys a credential keeps.' });
