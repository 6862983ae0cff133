const row = `id name title description admin createdAt account { id name }`;

export const projectList = `query ProjectList($first: Int, $after: String, $filter: ProjectFilter) {
  projects(first: $first, after: $after, filter: $filter) { nodes { ${row} } pageInfo { hasNextPage endCursor } }
}`;

export const projectShow = `query ProjectShow($id: ID!) {
  node(id: $id) { ... on Project { ${row} updatedAt grants { id role { name } account { name } } } }
}`;

export const projectCreate = `mutation ProjectCreate($input: CreateProjectInput!) {
  createProject(input: $input) { project { ${row} } }
}`;

export const projectUpdate = `mutation ProjectUpdate($input: UpdateProjectInput!) {
  updateProject(input: $input) { project { ${row} } }
}`;

export const projectDelete = `mutation ProjectDelete($input: DeleteProjectInput!) {
  deleteProject(input: $input) { deletedId }
}`;
