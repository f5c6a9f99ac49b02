// Where the API is: '' finds it from this page's own host name (sub.example.com → api.example.com); else an origin such as
// 'https://api.example.com'.
export const api = '';

// The fees of the service in dollars, as its settings FEE_TRANSACTION and FEE_LISTING have them. The API does not tell them, and
// this page only foretells with them; what is moved is what the API answers.
export const fees = { transaction: 0.2, listing: 0.002 };
