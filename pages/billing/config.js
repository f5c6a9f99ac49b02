// Where the API is, such as 'https://api.example.com'. Empty: api. and this page's own domain; see shared/api.js.
export const api = '';
