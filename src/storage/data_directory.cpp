#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "proxyxai/storage/sqlite_store.hpp"

namespace proxyxai {

DataDirectory::DataDirectory(std::string path, bool exclusive) : path_(std::move(path)), is_exclusive_(exclusive) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (!error && ::chmod(path_.c_str(), 0700) != 0) error = {errno, std::generic_category()};
  if (error) throw Failure("cannot use DATA_DIR '" + path_ + "': " + error.message() + "; it must be a directory that belongs to the user of this process");
  if (!exclusive) return;
  const std::string name = path_ + "/lock";
  lock_ = ::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock_ < 0) throw Failure("cannot make '" + name + "': " + std::generic_category().message(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    throw_other_runs();
  }
}

void DataDirectory::make_database_file() {
  // SQLite gives its side files the mode of the database; so the database gets its mode before there is one.
  const std::string file = database_file();
  const int made = ::open(file.c_str(), O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
  if (made < 0) throw Failure("cannot make '" + file + "': " + std::generic_category().message(errno));
  ::fchmod(made, 0600);
  // Another directory may lead to the same database, and the file above be removed. Kept open beside SQLite's: to close it would let go
  // of SQLite's own locks on it.
  const bool is_ours = !is_exclusive_ || ::flock(made, LOCK_EX | LOCK_NB) == 0;
  if (is_exclusive_ && is_ours) database_ = made;
  else ::close(made);
  if (!is_ours) throw_other_runs();
}

void DataDirectory::throw_other_runs() const {
  throw Failure("another proxyxai runs on DATA_DIR '" + path_ + "'; stop it, or give this one a directory of its own");
}

DataDirectory::~DataDirectory() {
  if (database_ >= 0) ::close(database_);
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace proxyxai
