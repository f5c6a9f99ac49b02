// Where the API is. Empty: found from this page's own host name (admin.example.com → api.example.com).
export const api = '';
