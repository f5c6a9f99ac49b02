/* SQLite as others build it, or on files that it cannot share memory over. OTHER_SQLITE says which:
     no-shared-memory   files are opened with its own VFS `unix-dotfile`, which knows no write-ahead log
     no-pager-pragmas   PRAGMA synchronous does nothing, as with SQLITE_OMIT_PAGER_PRAGMAS, and what is set is NORMAL */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef struct sqlite3 sqlite3;
typedef int Row(void*, int, char**, char**);

static int is_asked(const char* what) {
  const char* const asked = getenv("OTHER_SQLITE");
  return asked != NULL && strcmp(asked, what) == 0;
}

int sqlite3_open_v2(const char* file, sqlite3** database, int flags, const char* vfs) {
  typedef int Open(const char*, sqlite3**, int, const char*);
  Open* const open = (Open*)dlsym(RTLD_NEXT, "sqlite3_open_v2");
  return open(file, database, flags, is_asked("no-shared-memory") ? "unix-dotfile" : vfs);
}

int sqlite3_exec(sqlite3* database, const char* sql, Row* row, void* context, char** error) {
  typedef int Exec(sqlite3*, const char*, Row*, void*, char**);
  Exec* const exec = (Exec*)dlsym(RTLD_NEXT, "sqlite3_exec");
  const int is_lost = is_asked("no-pager-pragmas") && strncmp(sql, "PRAGMA synchronous", 18) == 0;
  return exec(database, is_lost ? "PRAGMA synchronous = NORMAL" : sql, row, context, error);
}
