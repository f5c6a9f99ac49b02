// Where the API is: '' finds it from this page's own host name (sub.example.com → api.example.com); else an origin such as
// 'https://api.example.com'.
export const api = '';
